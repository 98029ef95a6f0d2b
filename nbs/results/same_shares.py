"""Is it the choice, or how much is left out? python nbs/results/same_shares.py OUT

The jobs with wrong labels by `EpochLossFilter`, and by items drawn at random of which each epoch trains on the very share that the filter took in it with the same seed.
`random_epochs`, the control of those jobs, goes by the filter's rule in a training of its own, and keeps some more."""
import sys
from fastai_blf.methods import *
from fastai_blf.methods import methods
from fastai_blf.epochs import *
from fastai_blf.jobs import *
from fastai_blf.measure import *
from fastai.basics import *

two = dict(data='cifar2', n_train=2000, n_valid=2000)
jobs = dict(digits_wrong10=(dict(data='digits', wrong=.1), 40, 10), digits_wrong=(dict(data='digits', wrong=.2), 40, 10),
            cifar2_wrong10=(dict(two, wrong=.1), 60, 7), cifar2_wrong=(dict(two, wrong=.2), 60, 7))

def setup(data, epochs):
    return dict(epochs=epochs, frozen=0, lr=.01, clock='cpu', dls_kw=dict(data, bs=128, size=16, device='cpu', stats=image_stats.get('small'), num_workers=0),
                learn_kw=dict(model='small', channels_last=data['data']=='cifar2'))

def main(out):
    torch.set_num_threads(1)
    rows = []
    for job,(data,epochs,seeds) in jobs.items():
        s = setup(data, epochs)
        warm_up(s)
        for seed in range(seeds):
            chosen = fit_rows('elf', seed, s)
            shares = [min(1, o['kept']/chosen[0]['kept']) for o in chosen] # without the last batch, which fastai drops
            methods['same_shares'] = lambda: RandomFilter(lambda pct: shares[round(pct*epochs)], warmup=0, cooldown=0)
            rows += [dict(job=job, **o) for o in (*chosen,*fit_rows('same_shares', seed, s))]
            save_results(pd.DataFrame(rows), out, ['python nbs/results/same_shares.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
