"""Restaurants and menus: what a caller may change and read, what an order would cost, and ordering from a menu.

A change is a command of ``domain/catalogue``, decided on the newest state of the stream ``restaurant#<id>`` and
recorded there, as orders are in theirs. An order from a menu is priced from the restaurant as it is then; its
``OrderPlaced`` holds the prices, and nothing looks at the menu for it again.
"""
