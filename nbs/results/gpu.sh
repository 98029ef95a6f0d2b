#!/usr/bin/env bash
# What is measured on a GPU, all of it within 25 minutes: bash nbs/results/gpu.sh PART...   (all of them without a name)
#
# In order of importance, with the seconds that each part gets:
#   step      180  a step of the wide ResNet in bfloat16, batches of 128 and 1024: plain, one pass, two, at several shares kept
#   reproduce 400  the experiment of 2019, shortened to ten epochs: plain, its filter, today's two, plain training cut to the time of the faster one
#   cifar2    390  `small` on 10,000 images of two classes, many fits at once: all methods, controls and cut trainings
#   fp16      110  float16 with scaled gradients: every way to choose, a few epochs
#   select     40  the choice alone, on the device
#   cifar     300  as cifar2, with ten classes
# Where a call may take ten minutes at most, three do: `step reproduce`, `cifar2 fp16 select`, and `cifar`.
#
# A part is interrupted after its seconds. The fits that had ended are kept, and the same call goes on from there.
# Variables: OUT (folder of the CSVs), DEVICE, JOBS (fits at once), SEEDS, EPOCHS and CUT (of `reproduce`), CUTS (epochs of the cut trainings
# of 24), LIMIT (seconds of each part), CIFAR_TGZ (the archive of CIFAR-10, where it is not unpacked yet).
# A try on a CPU, with the digits, in some minutes: TINY=1 OUT=/tmp/gpu bash nbs/results/gpu.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
out=${OUT:-nbs/results} jobs=${JOBS:-12} seeds=${SEEDS:-7} epochs=${EPOCHS:-10} cuts=${CUTS:-15 18} device=${DEVICE:-cuda}
cut=${CUT:-$((epochs*62/100))}
declare -A seconds=([step]=180 [reproduce]=400 [cifar2]=390 [fp16]=110 [select]=40 [cifar]=300)
wrn="--data cifar --model wrn" half=float16 sizes="128 1024" rounds="--rounds 10" few="" job=""
if [ -n "${TINY:-}" ]; then
    device=${DEVICE:-cpu} epochs=3 cut=2 cuts=2 seeds=2 jobs=2
    few="--data digits --n_train 200 --n_valid 100 --bs 50 --size 8" wrn="--model small" half=bfloat16 sizes=32 rounds="--rounds 1 --steps 1" job="--epochs 3"
fi
methods=plain,blf,elf,random_batches,random_epochs,infobatch,seta,sb,composer,blf2019,tsai,two
for n in $cuts; do methods+=",plain@$n*.7,plain@$n,plain@$n*1.4"; done
folder=${FASTAI_HOME:-$HOME/.fastai}/data
if [ -n "${CIFAR_TGZ:-}" ] && [ ! -d "$folder/cifar10" ]; then mkdir -p "$folder" && tar xzf "$CIFAR_TGZ" -C "$folder"; fi

bench() { # bench SUBCOMMAND OPTIONS... with what its part has left
    local left=$((end-SECONDS))
    echo "== $(date +%T) blf_bench $*"
    if [ "$left" -le 0 ]; then echo "== no time left"; return; fi
    timeout -s INT -k 10 "$left" python3 -c 'from fastai_blf.bench import blf_bench; blf_bench()' "$@" --device "$device" || echo "== ended with $?"
}
step() {
    for bs in $sizes; do bench step ${few:+--data digits --size 8} ${wrn} --dtype bfloat16 --channels_last --bs "$bs" $rounds --out "$out/step_wrn_bs${bs}_gpu"; done
}
select_() { bench select ${few:+--rounds 2 --calls 5} --out "$out/select_gpu"; }
fp16() { bench train ${few:---data cifar --n_train 10000 --n_valid 5000} --dtype $half --methods plain,blf,one,two,elf --epochs 6 --seeds 1 --out "$out/train_fp16_gpu"; }
reproduce() {
    bench train --reproduce $wrn $few --dtype bfloat16 --channels_last --fused --methods "plain,blf2019,blf,elf,plain@$cut" \
        --epochs "$epochs" --seeds "${SEEDS:-1}" --out "$out/train_2019_gpu"
}
many() { bench train --job "$1" $few $job --fused --jobs "$jobs" --seeds "$seeds" --methods "$methods" --out "$out/train_$1_gpu"; }
cifar2() { many cifar2; }
cifar() { many cifar; }

[ $# -gt 0 ] || set -- step reproduce cifar2 fp16 select cifar
for part in "$@"; do
    end=$((SECONDS+${LIMIT:-${seconds[$part]:-0}}))
    case $part in
        select) select_ ;;
        step|fp16|reproduce|cifar2|cifar) "$part" ;;
        *) echo "gpu.sh: '$part' is no part: expected step, reproduce, cifar2, fp16, select or cifar" >&2; exit 2 ;;
    esac
done
