#!/bin/sh
# Run all benchmarks of the networks and write their outputs and figures:
#
#     benchmarks/run_all.sh DATA [MODEL ...]
#
# DATA is the directory of real exposures; the models are, unless named, the
# default and the published one. Run it in the root of the repository, with the
# package, matplotlib, astroscrappy, deepCR, cosmic-conn and GalSim installed and
# the published networks in place (maximask-astro weights install).
set -eu

if [ $# -lt 1 ]; then
    echo "usage: benchmarks/run_all.sh DATA [MODEL ...]" >&2
    exit 2
fi
data=$1
shift
if [ $# -gt 0 ]; then
    set -- --models "$@"
fi

# Compiled programs and counts that several benchmarks need, for this run only.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export JAX_COMPILATION_CACHE_DIR="$scratch/compiled"
export MPLBACKEND=Agg

stage() {
    name=$1
    shift
    echo "== $name"
    start=$(date +%s)
    python "benchmarks/$name.py" "$@" --output "benchmarks/output/$name.txt"
    echo "== $name took $(($(date +%s) - start)) s"
}

stage table7 "$@" --cache "$scratch/counts"
stage curves "$@" --cache "$scratch/counts" --figure docs/_static/benchmark.png
stage calibration "$@" --cache "$scratch/counts" \
    --figure docs/_static/benchmark_calibration.png
stage cosmic_rays "$@" --figure docs/_static/benchmark_cosmic_rays.png
stage neutral "$data" "$@" --figure docs/_static/benchmark_neutral.png
stage real "$data" "$@" --figure docs/_static/benchmark_real.png

# What the cards of our own models say about these, with their default names.
if [ $# -eq 0 ]; then
    python benchmarks/update_card.py maximask_astro/weights/shipped/contaminants-1
fi

# Tracking has models of its own.
tracking=benchmarks/output/tracking
python benchmarks/tracking_simulated.py --output-dir "$tracking" \
    --figure docs/_static/benchmark_tracking.png
python benchmarks/tracking_real.py "$data" --output "$tracking/real.txt"
python benchmarks/tracking_parity.py "$data" --output "$tracking/parity.txt"
python benchmarks/tracking_speed.py --output "$tracking/speed.txt"
python benchmarks/update_card.py maximask_astro/weights/shipped/tracking-1
