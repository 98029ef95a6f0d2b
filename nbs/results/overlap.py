"""What the guard does where classes overlap: python nbs/results/overlap.py OUT

Three small tables of scikit-learn and ISLP whose labels are what happened, by fastai's tabular network, 20 epochs of one cycle, plain, with `EpochLossFilter()` and without
its guard; `suspects` is the share of the items that a filter doubts at the end."""
from end_on_all import *

ways = dict(plain=lambda: None, elf=EpochLossFilter, guardless=lambda: EpochLossFilter(guard=False))

def main(out):
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    rows = []
    for job in ('juice','college','cancer'):
        mk,epochs,lr = fits[job]
        for seed in range(7):
            for method,mk_cb in ways.items():
                set_seed(seed)
                learn,cb = mk(seed=seed),mk_cb()
                with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(epochs, lr, cbs=cb)
                last = learn.recorder.values[-1]
                rows.append(dict(job=job, method=method, seed=seed, accuracy=last[2], valid_loss=last[1], kept=np.mean([v[-1] for v in learn.recorder.values]) if cb else 1.,
                                 suspects=cb.memory.is_suspect().float().mean().item() if cb else None))
        save_results(pd.DataFrame(rows), out, ['python nbs/results/overlap.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
