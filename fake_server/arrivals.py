"""What arrives at a server of this process, line by line on its terminal: for `serve` and `demo`."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import FakeServer


def print_arrivals(server: "FakeServer") -> None:
    """Print what is recorded from now on, from a thread that ends with the process."""
    import threading

    import msgspec
    from rich.console import Console

    from .items import batch_items, request_item
    from .recording import StoreError
    from .terminal import batch_lines, print_lines, request_lines

    recorder = server.intake.recorder
    console = Console(stderr=True, highlight=False)
    most = 50

    def follow() -> None:
        position = recorder.last_id()
        while True:
            newest = recorder.last_id()
            if newest == position:
                recorder.wait(lambda at=position: recorder.last_id() > at, 60)  # type: ignore[misc]
                continue
            for record in recorder.requests(max(position, newest - most)):
                if record.id > newest:
                    break
                for item in batch_items(record):
                    print_lines(console, batch_lines(msgspec.to_builtins(item)))
                # A browser's question whether it may ask is of interest where it may not.
                if not record.batches and (record.method != "OPTIONS" or record.status >= 400):
                    print_lines(console, request_lines(msgspec.to_builtins(request_item(record))))
            if newest - position > most:
                console.print(f"             … and {newest - position - most} requests before these", style="dim")
            position = newest

    def follow_while_open() -> None:
        with suppress(StoreError):
            follow()

    threading.Thread(target=follow_while_open, name="mparticle-fake-arrivals", daemon=True).start()
