"""What wrong labels do to a filter: python nbs/results/guard.py OUT [SEEDS [DATA ...]]

Labels are replaced at random; then plain training, `EpochLossFilter` with and without its guard and with `skip_hardest`, plain training
once more without the suspects of the first one, and `BatchLossFilter`, by default and with one pass, with and without a `LossHistory`
that tells it the suspects. A row for each: accuracy and loss on right labels, the share of items and the
share of wrong labels among what was trained on, and how many items are suspects. Processor time of one thread."""
import sys
from suspects import *
from fastai_blf.selection import *

class Silent(LossHistory):
    "Remembers, but tells a `BatchLossFilter` nothing"
    def doubted(self): return None

ways = dict(plain=LossHistory, guard=EpochLossFilter, none=partial(EpochLossFilter, guard=False),
            skip_hardest=partial(EpochLossFilter, select=skip_hardest(.1, partial(top_losses, min_loss_perc=.5)), keep_loss=0, guard=False), removed=LossHistory, blf=lambda: [LossHistory(),BatchLossFilter()], blf_none=lambda: [Silent(),BatchLossFilter()],
            one=lambda: [LossHistory(),BatchLossFilter(passes=1)], one_none=lambda: [Silent(),BatchLossFilter(passes=1)])

def main(out, seeds=3, *names):
    torch.set_num_threads(1)
    out,rows = Path(out),[]
    for job in names or ('digits','cifar2'):
        data,kw = settings(job)
        for seed in range(int(seeds)):
            for share in (0,.2,.1,.4) if job=='digits' else (0,.2):
                for way,mk in ways.items():
                    set_seed(seed) # the same order of items for all
                    dls,idxs = planted(data, seed, share)
                    if way=='removed': # as many epochs of fewer items
                        valid,left = dls.valid,(~suspects).nonzero()[:,0]
                        dls = part(dls, left)
                        dls.loaders[1] = valid
                        idxs = torch.isin(left, idxs).nonzero()[:,0]
                    learn,secs = fit(dls, seed, L(mk()), **kw)
                    memory = learn.loss_history.memory
                    if way=='plain': suspects = memory.is_suspect()
                    trained = memory.trained.float()
                    rows.append(dict(job=job, wrong=share, seed=seed, way=way, accuracy=learn.recorder.values[-1][2], valid_loss=learn.recorder.values[-1][1],
                                     items=(trained.sum()/len(dls.train_ds)/kw['epochs']).item(), wrong_trained=(trained[idxs].sum()/trained.sum()).item(), suspects=int(memory.is_suspect().sum()), secs=secs))
                    save_results(pd.DataFrame(rows), out.with_suffix(''), ['python nbs/results/guard.py '+' '.join(sys.argv[1:]), hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
