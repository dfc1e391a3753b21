"""Restaurants and menus: what a caller may change and read, what an order would cost, and ordering from a menu.

A change is a command of ``domain/catalogue``, decided on the newest state of the stream ``restaurant#<id>`` and
recorded there, as orders are in theirs. An order from a menu is priced from the restaurant as it is then; its
``OrderPlaced`` holds the prices, and nothing looks at the menu for it again.

A published menu never changes: ``menu_memory`` keeps those that were read last as they are sent. ``pictures`` stores
what items look like under the hash of the content, and a menu names only what is stored. Searches read the views of
``workflows/projections``; nothing here depends on them.
"""
