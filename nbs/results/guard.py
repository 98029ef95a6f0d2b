"""What wrong labels do to a filter: python nbs/results/guard.py OUT [SEEDS [DATA ...]]

Labels are replaced at random; then plain training, `EpochLossFilter` with and without its guard and with `skip_hardest`, plain training
once more without the suspects of the first one, and `BatchLossFilter`, by default and with one pass, with and without a `LossHistory`
that tells it the suspects. A row for each: accuracy and loss on right labels, the share of items and the share of wrong labels among what
was trained on, and how many items are suspects. Processor time of one thread. Rows are written as they come, and the same command goes on
where it stopped."""
import sys
from suspects import *
from fastai_blf.selection import *

class Silent(LossHistory):
    "Remembers, but tells a `BatchLossFilter` nothing"
    def doubted(self): return None

def beside(remembers, **kwargs): return lambda: [remembers(),BatchLossFilter(**kwargs)]

skip = partial(EpochLossFilter, select=skip_hardest(.1, partial(top_losses, min_loss_perc=.5)), keep_loss=0, guard=False)
ways = dict(plain=LossHistory, removed=LossHistory, # in this order, since what is removed are the suspects of `plain`
            guard=EpochLossFilter, none=partial(EpochLossFilter, guard=False), skip_hardest=skip,
            blf=beside(LossHistory), blf_none=beside(Silent), one=beside(LossHistory, passes=1), one_none=beside(Silent, passes=1))

def train(job, share, seed):
    "A row for each way"
    data,kw = settings(job)
    for way,mk in ways.items():
        set_seed(seed) # the same order of items for all
        dls,wrong = planted(data, seed, share)
        if way=='removed': # as many epochs of fewer items
            valid,left = dls.valid,(~suspects).nonzero()[:,0]
            dls = part(dls, left)
            dls.loaders[1] = valid
            wrong = torch.isin(left, wrong).nonzero()[:,0]
        learn,secs = fit(dls, seed, L(mk()), **kw)
        memory,(_,valid_loss,accuracy) = learn.loss_history.memory,learn.recorder.values[-1][:3]
        if way=='plain': suspects = memory.is_suspect()
        trained = memory.trained.float()
        yield dict(job=job, wrong=share, seed=seed, way=way, accuracy=accuracy, valid_loss=valid_loss, items=(trained.sum()/len(dls.train_ds)/kw['epochs']).item(),
                   wrong_trained=(trained[wrong].sum()/trained.sum()).item(), suspects=int(memory.is_suspect().sum()), secs=secs)

def main(out, seeds=2, *names):
    torch.set_num_threads(1)
    out = Path(out)
    rows = pd.read_csv(out, comment='#').to_dict('records') if out.exists() else []
    for seed,job in itertools.product(range(int(seeds)), names or ('digits','cifar2')):
        for share in (.2,0,.1,.4) if job=='digits' else (.2,0):
            if any((o['job'],o['wrong'],o['seed'])==(job,share,seed) for o in rows): continue
            rows += train(job, share, seed)
            save_results(pd.DataFrame(rows), out.with_suffix(''), ['python nbs/results/guard.py '+' '.join([out.name,*map(str, (seeds,*names))]), hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
