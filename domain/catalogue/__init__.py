"""Restaurants and their menus: what can be ordered, when, and at which price.

A restaurant is one aggregate with one stream. Its menu is published as a whole under a version, so that an order can
name the menu it was priced from. ``pricing`` turns what a customer chose into the lines of an order; a customer never
sends an amount.
"""
