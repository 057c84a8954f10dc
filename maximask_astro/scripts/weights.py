"""``maximask-astro weights``: install, list and check models."""

import sys

from maximask_astro.scripts.common import FAILURE, SUCCESS

__all__ = ["add_parser"]


def add_parser(subparsers):
    """
    Add the subcommand.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "weights",
        help="install, list and check models",
        description="Install, list and check models.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    action = actions.add_parser(
        "install",
        help="install published networks",
        description="Install published networks: pip downloads the package of their "
        "authors, its SHA-256 is checked, and the network is converted.",
    )
    action.add_argument("names", nargs="+", metavar="NAME")
    action.add_argument(
        "--from",
        dest="origin",
        metavar="WHEEL-or-DIR",
        help="do not download; take this wheel, or a directory with it",
    )
    action.add_argument(
        "--force", action="store_true", help="install again what is there already"
    )
    action.set_defaults(run=_install, prog="maximask-astro weights install")

    action = actions.add_parser("list", help="list models and whether they are there")
    action.set_defaults(run=_list, prog="maximask-astro weights list")

    action = actions.add_parser("path", help="print the directory of a model")
    action.add_argument("name", metavar="NAME")
    action.set_defaults(run=_path, prog="maximask-astro weights path")

    action = actions.add_parser(
        "verify",
        help="check models against their stored test tensors",
        description="Check the digest of models, run them on their test image and "
        "compare with the output stored with them. Default: all installed models.",
    )
    action.add_argument("names", nargs="*", metavar="NAME")
    action.set_defaults(run=_verify, prog="maximask-astro weights verify")


def _install(args):
    from maximask_astro.weights import install_model, is_installed, is_shipped

    for name in args.names:
        present = is_shipped(name) or (is_installed(name) and not args.force)
        path = install_model(name, origin=args.origin, force=args.force)
        print(f"{name}: {'already there' if present else 'installed'} in {path}")
    return SUCCESS


def _list(args):
    from maximask_astro.weights import is_shipped, list_models, packaged_card

    for name, installed in list_models().items():
        card = packaged_card(name)
        about = card.task if card is not None else "own model"
        where = "installed" if installed else "not installed"
        where = "comes with the package" if is_shipped(name) else where
        print(f"{name:20s} {about:14s} {where}")
    return SUCCESS


def _path(args):
    from maximask_astro.weights.model import find_model

    print(find_model(args.name)[0])
    return SUCCESS


def _verify(args):
    from maximask_astro.weights import list_models, verify_model

    names = args.names or [name for name, there in list_models().items() if there]
    passed = True
    for name in names:
        outcome = verify_model(name)
        passed &= outcome.passed
        print(
            f"{outcome.name}: {'ok' if outcome.passed else 'FAILED'}, "
            f"{outcome.n_values} probabilities differ by at most "
            f"{outcome.largest_difference:.1e}",
            file=sys.stdout if outcome.passed else sys.stderr,
        )
    return SUCCESS if passed else FAILURE
