"""What an order costs: every item, option and fee from the menu, and refusals that say what to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.checks import menu_problems, profile_problems
from domain.catalogue.events import MenuPublished, OrderingPaused, RestaurantRegistered, ServiceFee, SoldOut, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.pricing import Quote, Selection, price_lines, quote
from domain.catalogue.refusals import (
    BelowMinimum,
    ChoiceMissing,
    ItemSoldOut,
    PriceChanged,
    RestaurantClosed,
    RestaurantNotFound,
    TooManyChoices,
    UnknownItem,
)
from domain.catalogue.restaurant import Restaurant, initial_restaurant
from domain.identifiers import Sku
from domain.money import CurrencyMismatch, Money
from domain.order.events import Line, Option
from domain.order.refusals import Rejected
from tests.domain.catalogue.trattoria import (
    FRIDAY_EVENING,
    OPENED,
    PROFILE,
    REGISTERED,
    TRATTORIA,
    eur,
    menu_with,
    restaurant,
)

COLA = Selection(sku=Sku("cola"), quantity=1)


def pizza(*options: str, quantity: int = 1) -> Selection:
    return Selection(sku=Sku("pizza"), quantity=quantity, options=options or ("normal",))


def quoted(*selections: Selection, of: Restaurant | None = None, **arguments) -> Quote:
    return quote(of or restaurant(), selections, at=arguments.pop("at", FRIDAY_EVENING), **arguments)


def refused(kind: type[Rejected], *selections: Selection, of: Restaurant | None = None, **arguments) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        quoted(*selections, of=of, **arguments)
    assert type(refusal.value) is kind
    return refusal.value


def test_a_quote_has_the_menus_names_prices_and_tax_rates():
    """The customer sent ids and quantities only."""
    offer = quoted(pizza("large", "burrata", quantity=2), COLA, tip=eur("1.50"))
    assert offer.lines == (
        Line(
            sku=Sku("pizza"),
            name="Pizza Margherita",
            quantity=2,
            unit_price=eur("9.50"),
            options=(Option(name="Large", price=eur("3.00")), Option(name="Burrata", price=eur("2.50"))),
            tax_class="food",
            tax_rate_bp=700,
        ),
        Line(sku=Sku("cola"), name="Cola", quantity=1, unit_price=eur("3.00"), tax_class="drinks", tax_rate_bp=1900),
    )
    assert (offer.items, offer.delivery_fee, offer.service_fee, offer.tip) == (
        eur("33.00"),
        eur("2.90"),
        eur("1.65"),
        eur("1.50"),
    )
    assert offer.total == eur("39.05")
    assert (offer.menu_version, offer.fee_tax_class, offer.fee_tax_rate_bp) == (1, "drinks", 1900)


@pytest.mark.parametrize(
    ("pizzas", "delivery_fee", "service_fee"),
    [(2, "2.90", "0.95"), (4, "2.90", "1.90"), (5, "0.00", "2.00")],
)
def test_fees_follow_the_price_of_the_items(pizzas, delivery_fee, service_fee):
    """Delivery is free from 40.00 on; the service fee is five percent, between 0.50 and 2.00."""
    offer = quoted(pizza(quantity=pizzas))
    assert (offer.delivery_fee, offer.service_fee) == (eur(delivery_fee), eur(service_fee))


def test_a_share_of_half_a_cent_is_rounded_up():
    """5 % of 12.50 is 0.625."""
    odd = MenuItem(sku=Sku("odd"), name="Odd", price=eur("12.50"), tax_class="food")
    shop = restaurant(REGISTERED, MenuPublished(menu_version=1, menu=menu_with(odd)))
    assert quoted(Selection(sku=odd.sku, quantity=1), of=shop).service_fee == eur("0.63")


def test_an_option_that_is_named_twice_is_added_twice():
    """Options stand in the order of the menu, whatever the order of the request."""
    line = quoted(pizza("olives", "burrata", "normal", "olives")).lines[0]
    assert [option.name for option in line.options] == ["Normal", "Burrata", "Olives", "Olives"]


def test_a_closed_restaurant_refuses_and_says_when_it_opens():
    """At noon it opens at 17:00 in Berlin; paused for half an hour, it opens afterwards."""
    noon = FRIDAY_EVENING - timedelta(hours=7)
    assert refused(RestaurantClosed, COLA, at=noon).opens_at == FRIDAY_EVENING - timedelta(hours=2)
    until = FRIDAY_EVENING + timedelta(minutes=30)
    busy = restaurant(*OPENED, OrderingPaused(until=until, reason="busy"))
    assert refused(RestaurantClosed, COLA, of=busy).opens_at == until
    away = restaurant(*OPENED, OrderingPaused(until=None, reason="holidays"))
    assert refused(RestaurantClosed, COLA, of=away).opens_at is None
    assert refused(RestaurantClosed, COLA, of=restaurant(REGISTERED)).opens_at is None


def test_a_restaurant_that_does_not_exist_sells_nothing():
    """The refusal names it."""
    assert refused(RestaurantNotFound, COLA, of=initial_restaurant(TRATTORIA)).restaurant_id == TRATTORIA


@pytest.mark.parametrize(
    ("selection", "sku", "option"),
    [
        (Selection(sku=Sku("steak"), quantity=1), "steak", ""),
        (pizza("normal", "caviar"), "pizza", "caviar"),
        (Selection(sku=Sku("cola"), quantity=1, options=("large",)), "cola", "large"),
    ],
)
def test_what_is_not_on_the_menu_is_refused_by_name(selection, sku, option):
    """An option counts for its own item only."""
    refusal = refused(UnknownItem, selection)
    assert (refusal.sku, refusal.option, refusal.menu_version) == (sku, option, 1)


def test_what_is_sold_out_is_refused_by_name():
    """A sold-out option leaves the item on sale."""
    gone = restaurant(*OPENED, SoldOut(sku=Sku("pizza"), option="burrata"))
    refusal = refused(ItemSoldOut, pizza("normal", "burrata"), of=gone)
    assert (refusal.sku, refusal.option) == ("pizza", "burrata")
    assert quoted(pizza("normal", quantity=2), of=gone).items == eur("19.00")
    assert refused(ItemSoldOut, pizza(), of=restaurant(*OPENED, SoldOut(sku=Sku("pizza")))).option == ""


def test_each_group_takes_as_many_options_as_it_says():
    """One size, and up to three extras, counted with repetitions."""
    refusal = refused(ChoiceMissing, pizza("burrata"))
    assert (refusal.sku, refusal.group, refusal.least) == ("pizza", "size", 1)
    assert refused(TooManyChoices, pizza("normal", "large")).group == "size"
    assert refused(TooManyChoices, pizza("normal", *["olives"] * 4)).most == 3
    assert quoted(pizza("normal", *["olives"] * 3)).items == eur("12.50")


def test_an_order_below_the_minimum_is_refused_with_both_amounts():
    """Fees and tip do not count."""
    refusal = refused(BelowMinimum, pizza(), tip=eur("50.00"))
    assert (refusal.minimum, refusal.items) == (eur("12.00"), eur("9.50"))
    assert quoted(pizza("large")).items == eur("12.50")


def test_another_price_than_expected_is_refused_with_both():
    """A price that changed since the quote is not charged without the customer's consent."""
    refusal = refused(PriceChanged, pizza("large"), expected_total=eur("15.00"))
    assert (refusal.expected, refusal.now) == (eur("15.00"), eur("16.03"))
    assert quoted(pizza("large"), expected_total=eur("16.03")).total == eur("16.03")
    refused(PriceChanged, pizza("large"), expected_total=Money(1603, "USD"))


def test_a_tip_in_another_currency_is_refused():
    """One order has one currency."""
    with pytest.raises(CurrencyMismatch):
        quoted(pizza("large"), tip=Money(100, "USD"))


# --- laws -------------------------------------------------------------------------------------------------------------

CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])  # 0, 2 and 3 decimals
ids = st.integers(0, 5).map(lambda n: f"id-{n}")


@st.composite
def menus(draw, currency: str) -> Menu:
    """Valid menus: every item with up to three groups of options."""

    def price() -> Money:
        return Money(draw(st.integers(0, 10**9)), currency)

    def group(number: int) -> OptionGroup:
        options = tuple(
            MenuOption(option=f"{number}-{n}", name=f"Option {n}", price=price())
            for n in range(draw(st.integers(1, 3)))
        )
        least = draw(st.integers(0, 3))
        return OptionGroup(
            name=f"Group {number}", choose_min=least, choose_max=draw(st.integers(max(1, least), 4)), options=options
        )

    skus = draw(st.lists(ids, unique=True, min_size=1))
    items = tuple(
        MenuItem(
            sku=Sku(sku),
            name=sku,
            price=price(),
            tax_class="food",
            groups=tuple(group(number) for number in range(draw(st.integers(0, 3)))),
        )
        for sku in skus
    )
    return Menu(sections=(Section(name="All", items=items),))


@st.composite
def kitchens(draw) -> Restaurant:
    """Valid restaurants with a menu, open at FRIDAY_EVENING."""
    currency = draw(CURRENCIES)

    def amount(most: int = 10**6) -> Money:
        return Money(draw(st.integers(0, most)), currency)

    least = amount()
    profile = replace(
        PROFILE,
        currency=currency,
        tax_classes=(TaxClass(name="food", rate_bp=draw(st.integers(0, 3000))),),
        fee_tax_class="food",
        minimum_order=Money.zero(currency),
        delivery_fee=amount(),
        free_delivery_from=draw(st.none() | st.just(amount())),
        service_fee=draw(st.none() | st.just(ServiceFee(rate_bp=321, least=least, most=least + amount()))),
    )
    menu = draw(menus(currency))
    assert not list(profile_problems(profile))
    assert not list(menu_problems(menu, profile))
    registered = RestaurantRegistered(restaurant=TRATTORIA, profile=profile)
    return restaurant(registered, MenuPublished(menu_version=1, menu=menu))


def selections(menu: Menu) -> st.SearchStrategy[list[Selection]]:
    """Selections of the menu's items and options; some break the rules of a group."""
    item = st.sampled_from(list(menu.items()))

    def selection(item: MenuItem) -> st.SearchStrategy[Selection]:
        options = [option.option for group in item.groups for option in group.options]
        chosen = st.lists(st.sampled_from(options), max_size=6) if options else st.just([])
        return st.builds(Selection, sku=st.just(item.sku), quantity=st.integers(1, 999), options=chosen.map(tuple))

    return st.lists(item.flatmap(selection), min_size=1, max_size=5)


@given(st.data(), kitchens())
def test_a_published_menu_prices_every_selection_it_accepts_exactly(data, kitchen):
    """The total is the sum of what the menu says, in whole minor units; a refusal names a group's rule."""
    chosen = data.draw(selections(kitchen.menu))
    if not _obeys(kitchen.menu, chosen):
        with pytest.raises((ChoiceMissing, TooManyChoices)):
            quote(kitchen, chosen, at=FRIDAY_EVENING)
        return
    offer = quote(kitchen, chosen, at=FRIDAY_EVENING)
    expected = sum(
        (kitchen.menu.item(s.sku).price.minor + sum(kitchen.menu.item(s.sku).option(o).price.minor for o in s.options))
        * s.quantity
        for s in chosen
    )
    assert offer.items == Money(expected, kitchen.profile.currency)
    assert offer.total.minor == expected + offer.delivery_fee.minor + offer.service_fee.minor
    assert quote(kitchen, chosen, at=FRIDAY_EVENING, expected_total=offer.total) == offer


@given(st.data(), kitchens())
def test_a_selection_is_priced_the_same_for_ever_from_the_same_menu(data, kitchen):
    """Sold-out marks, pauses and later menus do not change what version 1 says."""
    chosen = data.draw(selections(kitchen.menu).filter(lambda chosen: _obeys(kitchen.menu, chosen)))
    offer = quote(kitchen, chosen, at=FRIDAY_EVENING)
    assert price_lines(kitchen.menu, 1, chosen, kitchen.profile) == offer.lines
    assert price_lines(kitchen.menu, 1, [chosen[0]], kitchen.profile) == offer.lines[:1]


def _obeys(menu: Menu, chosen: list[Selection]) -> bool:
    """Whether each selection has as many options of each group as the group says, counted independently."""
    for selection in chosen:
        for group in menu.item(selection.sku).groups:
            of_group = {option.option for option in group.options}
            count = len([option for option in selection.options if option in of_group])
            if not group.choose_min <= count <= group.choose_max:
                return False
    return True
