import jax
import pytest

from maximask_astro.utils.compiling import compiled


def add(first, second):
    return first + second


@pytest.mark.parametrize("known", [True, False])
def test_options_that_are_not_known_are_left_out(known):
    on_cpu = {"xla_backend_optimization_level" + "_2" * (not known): 0}
    function = compiled(add, on_cpu=on_cpu, static_argnames="second")
    assert [function(1.0, second=n) for n in (2, 3, 2)] == [3, 4, 3]


def test_errors_of_a_function_are_raised():
    def fail(value):
        def raise_it(value):
            raise ValueError("not this")

        return jax.pure_callback(raise_it, value, value)

    with pytest.raises(jax.errors.JaxRuntimeError, match="not this"):
        compiled(fail)(1.0).block_until_ready()
