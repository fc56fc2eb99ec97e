"""What is taken home from a stage: files that are asked for in the app, and opened without it."""

import re

import pytest

from tests.support.playing import press, readout
from tests.support.server import wait_until_idle
from views.manual_gradients import one_step

OFFERED = {
    "This stage as one file that plays offline": ".html",
    "The program that ran, as .py": ".py",
    "The program that ran, as a notebook": ".ipynb",
    "The numbers, as CSV": ".csv",
}


def offered(page):
    """Open the menu below the stage."""
    page.get_by_role("button", name="Take it home").click()
    page.get_by_test_id("stDownloadButton").first.wait_for()
    wait_until_idle(page)


def taken(page, label, folder):
    """Ask for a file; where it lies."""
    with page.expect_download(timeout=60000) as download:
        page.get_by_role("button", name=label).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


@pytest.fixture
def offline(browser):
    """A browser that is not connected to anything. What it asks for is noted."""
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(60000)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    context.close()


def opened(offline, file):
    offline.goto(file.as_uri())
    offline.locator("body[data-drawn]").wait_for()
    return offline


def dark(page):
    """Whether the first picture is: the colour of its corner."""
    return page.evaluate(
        """() => { const [r] = document.querySelector("canvas.marks").getContext("2d")
            .getImageData(1, 1, 1, 1).data; return r < 128; }"""
    )


# Where the colour of words is, and that of what they stand on.
COLOURS = ((".words p >> nth=0", "color"), ("body", "backgroundColor"))


def light(place, what):
    """How light a colour is, from 0 to 765."""
    text = place.evaluate("(one, what) => getComputedStyle(one)[what]", what)
    return sum(map(int, re.findall(r"\d+", text)[:3]))


def test_every_file_is_made_and_the_page_plays_without_a_network(visit, offline, tmp_path):
    page = visit("/manual_gradients?step=3&moment=2")
    at, told = readout(page), page.locator(".story p.on").inner_text()
    offered(page)
    files = {ending: taken(page, label, tmp_path) for label, ending in OFFERED.items()}
    assert all(file.suffix == ending for ending, file in files.items())
    assert files[".csv"].read_text().startswith("step,loss,w,b,")

    page_file = files[".html"]
    assert page_file.stat().st_size < 3e6
    home = opened(offline, page_file)
    assert home.get_by_role("heading").inner_text() == "What happens in one step of training?"
    assert readout(home) == at
    assert home.locator(".story p.on").inner_text() == told
    before = home.locator("canvas.marks").first.screenshot()
    press(home, "End")
    assert readout(home).startswith("step 60 of 60")
    assert home.locator("canvas.marks").first.screenshot() != before
    press(home, "Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert readout(home).startswith("step 0 of 60")
    assert dark(home)
    home.get_by_role("button", name="Light or dark").click()
    home.locator('body[data-drawn="light"]').wait_for()
    assert not dark(home)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/dynamic_graph", ".listing li.on"),  # code with the line that runs
        ("/manual_gradients?chapter=own_data", ".points svg"),  # a component of a page’s own
        ("/manual_gradients?chapter=mistakes", ".edit pre"),  # the lines of a mistake, and words
    ],
)
def test_code_and_components_come_along(visit, offline, tmp_path, path, shown):
    page = visit(path)
    answers = page.locator(".st-key-stage [class*=st-key-guess-of] [role=radio]")
    if answers.count():
        answers.last.click()
        page.get_by_text("The answer:").wait_for()
        wait_until_idle(page)
        page.locator("#player-step").focus()
        press(page, "Home")
    offered(page)
    file = taken(page, "This stage as one file that plays offline", tmp_path)
    assert file.stat().st_size < 3e6
    home = opened(offline, file)
    if answers.count():
        press(home, "Home")
    told = page.locator(".st-key-stage .stMarkdown p").all_inner_texts()
    assert [one for one in told if home.locator(".words p", has_text=one).count() != 1] == []
    if told:
        for theme in ("dark", "light"):
            ink, paper = (light(home.locator(place), what) for place, what in COLOURS)
            assert abs(ink - paper) > 400, theme
            home.get_by_role("button", name="Light or dark").click()
            home.locator(f'body[data-drawn="{"light" if theme == "dark" else "dark"}"]').wait_for()
    assert home.locator(shown).count() == page.locator(f".st-key-stage {shown}").count()
    assert home.locator(shown).count() > 0
    assert readout(home) == readout(page)


@pytest.mark.parametrize("place", [(3, 2), (60, None)])
def test_the_server_tells_pictures_what_the_player_would(shared, place):
    step, moment = place
    page = shared("/manual_gradients")
    page.evaluate(
        """place => { document.documentElement.dataset.place = place;
            document.dispatchEvent(new Event("player-go"));
            delete document.documentElement.dataset.place; }""",
        f"step={step}&moment={'all' if moment is None else moment}",
    )
    told = page.evaluate("document.querySelector('#root').value")
    ours = one_step.run()[1].told(step, moment)
    assert [one and float(one) for one in told.split(",")] == [
        one and float(one) for one in ours.split(",")
    ]


def test_nothing_is_offered_in_a_hall(visit):
    page = visit("/manual_gradients?lecture=true")
    assert page.get_by_role("button", name="Take it home").count() == 0


def test_the_colours_are_those_of_the_app(visit, offline, tmp_path):
    names = ["background-color", "text-color", "border-color", "primary-color", "red-color"]
    read = """names => Object.fromEntries(names.map(name => [name, getComputedStyle(
        document.querySelector(".player")).getPropertyValue("--st-" + name).toLowerCase()]))"""
    page = visit("/manual_gradients", color_scheme="dark")
    offered(page)
    file = taken(page, "This stage as one file that plays offline", tmp_path)
    assert opened(offline, file).evaluate(read, names) == page.evaluate(read, names)
