"""The graph of `everprof pprof -svg`: mouse, wheel and keys move it."""

import shutil
import subprocess

import pytest


@pytest.fixture
def svg(everprof, data, tmp_path):
    if not shutil.which("dot"):
        pytest.skip("dot is not installed")
    file = tmp_path / "graph.svg"
    subprocess.run([everprof, "pprof", "-svg", f"-output={file}", data / "pprof" / "real" / "cpu1.pb.gz"], check=True, timeout=60, capture_output=True)
    return file


def test_the_picture_follows_mouse_wheel_and_keys(chromium, svg):
    page = chromium.new_page()
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(svg.as_uri())

    def matrix():
        page.evaluate("new Promise(r => requestAnimationFrame(r))")
        text = page.evaluate("document.getElementById('viewport').getAttribute('transform')")
        return [float(n) for n in text.removeprefix("matrix(").removesuffix(")").split()]

    start = matrix()
    assert start == [0.5, 0, 0, 0.5, 0, 0]
    page.mouse.move(300, 200)
    page.mouse.down()
    page.mouse.move(350, 180)
    page.mouse.up()
    assert matrix() == [0.5, 0, 0, 0.5, 50, -20]
    # The wheel scales about the pointer: what is under it stays there.
    before = matrix()
    page.mouse.wheel(0, -400)
    for _ in range(200):  # the wheel is heard a frame or so later
        if matrix()[0] != 0.5:
            break
        page.wait_for_timeout(50)
    k, _, _, _, x, y = matrix()
    assert k > 0.6
    assert abs((350 - x) / k - (350 - before[4]) / 0.5) < 0.01 and abs((180 - y) / k - (180 - before[5]) / 0.5) < 0.01
    page.keyboard.press("0")
    assert matrix() == start
    page.keyboard.press("+")
    assert matrix()[0] == 0.625
    assert not errors
    page.close()
