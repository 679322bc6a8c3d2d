"""The columns that are known of an image before it is made: the same in plans, in the index and among the failures."""

from atlas.config.schema import RecipeConfig
from atlas.records import Address, ImageShard, Item, ModelCard
from atlas.store.index import Row
from atlas.sweep.identity import task_id


def task_columns(shard: ImageShard, item: Item, card: ModelCard, recipe: RecipeConfig) -> Row:
    """What an image is asked to be."""
    return {
        "feature": str(Address(shard.model, shard.layer, item.channel)),
        "model": shard.model,
        "layer": shard.layer,
        "layer_index": shard.layer_index,
        "channel": item.channel,
        "target": shard.target.label,
        "metric": shard.metric,
        "recipe": recipe.name,
        "seed": item.seed,
        "weights": card.provenance,
        "task": task_id(shard, item),
    }
