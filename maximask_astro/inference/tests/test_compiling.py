import jax
import pytest

from maximask_astro.inference import compiling


@pytest.fixture
def _other_xla(monkeypatch):
    """An XLA that does not know the option."""
    monkeypatch.setattr(compiling, "_ON_CPU", {"xla_cpu_use_fusion_emitters_2": False})


def add(first, second):
    return first + second


@pytest.mark.usefixtures("_other_xla")
def test_without_an_option_that_is_not_known():
    compiled = compiling.compiled(add, static_argnames="second")
    assert [compiled(1.0, second=n) for n in (2, 3, 2)] == [3, 4, 3]


def test_errors_of_a_function_are_raised():
    def fail(value):
        def raise_it(value):
            raise ValueError("not this")

        return jax.pure_callback(raise_it, value, value)

    with pytest.raises(jax.errors.JaxRuntimeError, match="not this"):
        compiling.compiled(fail)(1.0).block_until_ready()
