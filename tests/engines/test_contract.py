"""Every engine against brute force: the contract, inherited."""

from animalmm.engines import MME, Auto, Whitened

from .contract import EngineContract


class TestMME(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME()


class TestMMEJoined(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME(join=True)


class TestMMEApart(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME(join=False)


class TestWhitened(EngineContract):
    def spec(self):
        return Whitened()


class TestWhitenedJoined(EngineContract):
    def spec(self):
        return Whitened(join=True)


class TestWhitenedApart(EngineContract):
    def spec(self):
        return Whitened(join=False)


class TestAuto(EngineContract):
    def spec(self):
        return Auto()
