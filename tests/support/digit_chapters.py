"""What is on the stage of a chapter on the digit classifier."""

from __future__ import annotations

import base64
import re

import numpy as np

from tests.support.visit import components, live_texts

PAGE = "digit_classifier"


def told(at):
    [text] = re.findall(r'<p class="on">(.*?)</p>', live_texts(at), re.DOTALL)
    return re.sub(r"<[^>]+>", "", text)


def grid(at, title):
    [data] = [one for one in components(at) if str(one.get("title")).startswith(title)]
    return data


def numbers(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)
