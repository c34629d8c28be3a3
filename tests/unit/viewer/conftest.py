"""A fake archive with one CT series of five images, held by the launch, and the gateway before it."""

import pytest

from tests.unit.viewer import fake, world


@pytest.fixture
def kestrel():
    with fake.running([fake.instance(number) for number in range(1, 6)]) as server:
        yield server


@pytest.fixture(params=[0, 50_000_000], ids=["nothing kept", "kept"])
def gate(request, tmp_path, kestrel):
    """Everything said of the gateway holds whether images are kept or not."""
    built = world.build(tmp_path, [world.archive(kestrel.base)], keep=request.param)
    world.held(built.holdings, fake.STUDY, "P-1")
    yield built
    built.db.engine.dispose()
