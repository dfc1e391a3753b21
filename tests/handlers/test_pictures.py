"""Pictures over HTTP: uploaded by the restaurant, named by its menus, and read by everyone."""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from typing import Any

import pytest

from tests.catalogue.sample_pictures import jpeg, png, webp
from tests.handlers.test_catalogue_api import MENU, PIZZA, PROFILE
from workflows.catalogue import pictures as pictures_module
from workflows.catalogue.picture_formats import BYTES_MAX
from workflows.catalogue.picture_store import NoPictures, PicturesUnavailable


@pytest.fixture
def lina(shop):
    assert shop.call("POST", "/restaurants", {"restaurant": "lina", **PROFILE}, role="support").status == 201
    return shop


def upload(shop, content: bytes, *, sub: str = "lina", role: str = "restaurant"):
    body = {"content": b64encode(content).decode()}
    return shop.call("POST", "/restaurants/lina/pictures", body, role=role, sub=sub)


def menu_with(picture: str) -> dict[str, Any]:
    return {"sections": [{"name": "Pizze", "items": [{**PIZZA, "picture": picture}]}]}


@pytest.mark.parametrize(("content", "type_"), [(png(), "image/png"), (jpeg(), "image/jpeg"), (webp(), "image/webp")])
def test_a_picture_is_uploaded_and_read_without_a_token(lina, content, type_):
    """Under an address that has the hash of its content, so caches keep it for ever."""
    uploaded = upload(lina, content)
    assert uploaded.status == 201
    assert (uploaded.json["type"], uploaded.json["width"], uploaded.json["height"]) == (type_, 2, 3)
    assert uploaded.headers["location"] == uploaded.json["path"]
    assert upload(lina, content).json == uploaded.json
    read = lina.call_as(None, "GET", uploaded.json["path"])
    assert (read.status, read.content, read.headers["content-type"]) == (200, content, type_)
    assert read.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-security-policy"] == "default-src 'none'; sandbox"
    again = lina.call_as(None, "GET", uploaded.json["path"], headers={"If-None-Match": read.etag})
    assert (again.status, again.content) == (304, b"")


def test_a_menu_names_its_pictures_and_is_refused_with_one_that_was_not_uploaded(lina):
    """The refusal names the field. A picture of another restaurant is none of this one."""
    name = upload(lina, png()).json["name"]
    published = lina.call("POST", "/restaurants/lina/menu", menu_with(name), role="restaurant", sub="lina")
    assert published.status == 200, published
    menu = lina.call_as(None, "GET", "/restaurants/lina/menus/1").json
    assert menu["sections"][0]["items"][0]["picture"] == name
    lina.call("POST", "/restaurants", {"restaurant": "gino", **PROFILE}, role="support")
    for restaurant, picture in (
        ("gino", name),
        ("lina", name.replace("png", "jpg")),
        ("lina", "https://example.com/pizza.png"),
        ("lina", "../../expediter.sqlite"),
    ):
        refused = lina.call("POST", f"/restaurants/{restaurant}/menu", menu_with(picture), role="support")
        assert (refused.status, refused.problem) == (422, "InvalidMenu")
        assert refused.fields == ["sections[0].items[0].picture"]


def test_what_is_no_picture_is_refused_with_the_reason(lina):
    """And nothing is stored."""
    for content, words in ((b"<svg/>", "is not a PNG"), (png() + bytes(BYTES_MAX), "bytes"), (png()[:-1], "cut off")):
        refused = upload(lina, content)
        assert (refused.status, refused.problem, refused.fields) == (422, "InvalidPicture", ["content"])
        assert words in refused.json["detail"]
    text = lina.call("POST", "/restaurants/lina/pictures", {"content": "not base64!"}, role="restaurant", sub="lina")
    assert (text.status, text.fields) == (422, ["content"])
    assert lina.engine.pictures.names(restaurant_id="lina") == set()


@pytest.mark.parametrize("role", ["customer", "courier", "auditor", "restaurant"])
def test_only_those_who_may_change_the_restaurant_upload_pictures(lina, role):
    """Others would fill its store."""
    refused = upload(lina, png(), role=role, sub="gino")
    assert (refused.status, refused.problem) == (403, "CatalogueNotAllowed")


def test_pictures_of_nothing_are_not_found(lina):
    """Names that no upload gives, and restaurants that do not exist."""
    name = upload(lina, png()).json["name"]
    for path in (f"lina/pictures/{'0' * 64}.png", "lina/pictures/..%2fexpediter.sqlite", f"gino/pictures/{name}"):
        assert lina.call_as(None, "GET", f"/restaurants/{path}").problem == "PictureNotFound"
    body = {"content": b64encode(png()).decode()}
    assert lina.call("POST", "/restaurants/gino/pictures", body, role="support").problem == "RestaurantNotFound"


def test_a_restaurant_has_a_bounded_number_of_pictures(lina, monkeypatch):
    """The same one again is not one more."""
    monkeypatch.setattr(pictures_module, "PICTURES_MAX", 2)
    for width in (1, 2, 1):
        assert upload(lina, png(width)).status == 201
    assert upload(lina, png(3)).problem == "TooManyPictures"


def test_a_store_that_does_not_answer_is_no_answer_about_pictures(lina):
    """503, and the caller tries again; a menu without pictures is published meanwhile."""

    class Broken(NoPictures):
        def names(self, **_: object) -> set[str]:
            raise PicturesUnavailable("no answer")

    lina.engine = dataclasses.replace(lina.engine, pictures=Broken())
    assert upload(lina, png()).status == 503
    assert lina.call("POST", "/restaurants/lina/menu", menu_with("x"), role="support").status == 503
    assert lina.call("POST", "/restaurants/lina/menu", MENU, role="support").status == 200
