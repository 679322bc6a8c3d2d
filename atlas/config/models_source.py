"""Any torchvision or timm model by name: a Hydra config source that answers for models without a file in conf/model."""

from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf

from atlas.config.checks import NAME

GROUP = "model/"


class ModelsSource(ConfigSource):
    """`model=resnet18` where no file says what resnet18 is: `source: any`, checked when the model is read."""

    @staticmethod
    def scheme() -> str:
        return "atlas"

    def load_config(self, config_path: str) -> ConfigResult:
        name = self._model(config_path)
        if name is None:
            raise ConfigLoadError(f"{config_path} is no model")
        config = OmegaConf.create({name: {"source": "any"}})
        return ConfigResult(config=config, path=f"atlas://{name}", provider=self.provider, header={"package": "models"})

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return config_path == "model"

    def is_config(self, config_path: str) -> bool:
        return self._model(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []

    @staticmethod
    def _model(config_path: str) -> str | None:
        name = config_path.removeprefix(GROUP).removesuffix(".yaml")
        return name if config_path.startswith(GROUP) and NAME.fullmatch(name) else None


def register() -> None:
    Plugins.instance().register(ModelsSource)
