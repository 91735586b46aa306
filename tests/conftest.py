from hypothesis import settings

# how long an example takes says more of what else the machine does than of the code
settings.register_profile("animalmm", deadline=None)
settings.load_profile("animalmm")
