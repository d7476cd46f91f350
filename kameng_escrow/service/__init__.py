"""The platform service: REST over what the mirror knows, for wallets and for platforms.

`make_app` makes the application of `Parts`; `bootstrap` makes those of the settings. Who may call what stands at each
route (`routing.Router`), and `gate` holds every request to it before the route's function runs.
"""
