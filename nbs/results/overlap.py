"""What the guard does where classes overlap, and where labels are wrong: python nbs/results/overlap.py OUT

Three small tables of scikit-learn and ISLP whose labels are what happened, and the digits' pixels as a fourth, by fastai's tabular network, 20 epochs of one cycle, plain,
with a guarded `EpochLossFilter` and with one that is not; with the training labels as they are, and with a share of them replaced by other classes, drawn at random (`wrong`).
`suspects` is the share of the items that a filter doubts at the end."""
import itertools
from end_on_all import *

ways = dict(plain=lambda: None, guarded=lambda: EpochLossFilter(guard=True), guardless=lambda: EpochLossFilter(guard=False))

def mislabel_table(dls, share, seed):
    "Give a share of the training rows other classes"
    to,rng = dls.train_ds,np.random.default_rng(seed)
    y = to.items[to.y_names[0]].to_numpy().copy()
    idxs = rng.permutation(len(y))[:round(share*len(y))]
    y[idxs] = (y[idxs]+rng.integers(1, dls.c, len(idxs)))%dls.c
    to.items[to.y_names[0]] = y

def main(out):
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    rows = []
    for job in ('juice','college','cancer','digits'):
        mk,epochs,lr = fits[job]
        for wrong,seed in itertools.product((0,.1,.2), range(7)):
            for method,mk_cb in ways.items():
                set_seed(seed)
                learn,cb = mk(seed=seed),mk_cb()
                mislabel_table(learn.dls, wrong, seed)
                with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(epochs, lr, cbs=cb)
                last = learn.recorder.values[-1]
                rows.append(dict(job=job, wrong=wrong, method=method, seed=seed, accuracy=last[2], valid_loss=last[1], kept=np.mean([v[-1] for v in learn.recorder.values]) if cb else 1.,
                                 suspects=cb.memory.is_suspect().float().mean().item() if cb else None))
        save_results(pd.DataFrame(rows), out, ['python nbs/results/overlap.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
