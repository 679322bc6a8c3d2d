"""`atlas serve`: an atlas in the browser, from this machine to this machine."""

import click

from atlas.cli.messages import say
from atlas.cli.options import Refused, atlas_option, open_atlas
from atlas.cli.server import HOST, make_server
from atlas.store.bucket_path import is_remote


@click.command()
@click.argument("folder", metavar="[ATLAS]", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@atlas_option
def serve(folder: str | None, atlas_name: str | None, port: int) -> None:
    """Files and answers of an atlas on 127.0.0.1.

    \b
    /                                  its pages, once `atlas site` has written them
    /images/…, /index/…, …             its files, with Range requests
    /api/feature/MODEL/LAYER:CHANNEL   its rows, as JSON
    /api/similar/MODEL/LAYER:CHANNEL   its neighbors; ?top=, measure=, scope=, to=, mutual=, opposite=, probe=
    /api/sql?q=SELECT…                 rows of a reading statement over the views
    /api/ask                           what a picture drives: POST it; ?top=, model=, layer=, probe=
    /ask                               the page on which one drops a picture
    """
    with open_atlas(folder or atlas_name) as atlas:
        if is_remote(atlas.path):
            raise Refused(f"{atlas.path} is in an object store, and only folders are served: copy it to one")
        try:
            server = make_server(atlas, port)
        except OSError as error:
            raise Refused(f"--port {port}: {error.strerror}; name another one, or 0 for any that is free") from None
        say(f"{atlas.path} on http://{HOST}:{server.server_port}/   Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("")
        finally:
            server.server_close()
