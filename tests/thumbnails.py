"""Take the pictures that Home shows of each page: `python -m tests.thumbnails`."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.support.server import chromium, open_page, running, wait_until_idle
from views.home.start import THUMBNAILS

# By page: an address that shows what it is about, and which part of the window is taken, as
# left, top, right and bottom.
SHOWN = {
    "manual_gradients": ("/manual_gradients?step=3&moment=2", (640, 270, 1280, 750)),
    "dynamic_graph": ("/dynamic_graph?chapter=backward&moment=9", (0, 290, 680, 800)),
    "static_graph_and_sessions": ("/static_graph_and_sessions?moment=13", (20, 300, 720, 793)),
    "custom_relu_backward": ("/custom_relu_backward", (20, 245, 760, 800)),
    "gpu_speedup": ("/gpu_speedup?guess=64", (0, 320, 640, 800)),
    "digit_classifier": ("/digit_classifier", (24, 269, 256, 443)),
}


def main() -> None:
    """Write a picture for each page and theme."""
    THUMBNAILS.mkdir(exist_ok=True)
    with running() as server, chromium() as browser:
        for name, (path, part) in SHOWN.items():
            for theme in ("light", "dark"):
                page = open_page(
                    browser,
                    server.url + path,
                    viewport={"width": 1280, "height": 800},
                    color_scheme=theme,
                )
                wait_until_idle(page)
                page.wait_for_timeout(1000)
                picture = Image.open(BytesIO(page.screenshot())).crop(part)
                file = Path(THUMBNAILS, f"{name}_{theme}.webp")
                picture.resize((320, 240)).save(file, quality=70)
                page.close()
                print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
