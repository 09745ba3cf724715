"""A whole fleet by discrete events (`inv fleet --terminals N`): how a release goes out wave by
wave, what it costs on the air, and what a server hears in a minute when something befalls all.

It takes the product's own rules (waves, places under a salt, how far apart terminals ask, how long
they pause), and the weights of real messages and files. What people and networks do is drawn from a
seed (`habits`). Where both can be had, `against` holds it to terminals before a real server.
"""
