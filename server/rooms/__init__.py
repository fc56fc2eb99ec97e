"""Rooms: a class follows its lecturer's screen on phones, and answers predictions together.

    messages.py   what a browser may send, as a schema
    bounds.py     how many, how often, how long
    memory.py     what rooms there are, in a process by itself
    shared.py     the same in Redis, for several replicas
    hub.py        the connections of this process, and what each of them is told
    door.py       the WebSocket: who opens, leads or joins a room, and what is then heard of them

A room knows an address of this app, a step, and how many have given each answer. It knows nobody.
"""
