"""Puts the environment's site-packages at the end of the import path of every Python in a box, `.pth` files honoured."""

import os
import site

for folder in filter(None, os.environ.get("BOX_SITE", "").split(":")):
    site.addsitedir(folder)
