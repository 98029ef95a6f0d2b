"""Which score finds wrong labels? python nbs/results/suspects.py OUT [SEEDS [DATA ...]]; needs `pip install cleanlab`

Labels are replaced, at random or by the most similar class; then one training, plain or with a filter, and the scores of its items from
what the training pass showed of them. Beside it cleanlab, whose probabilities come from five more trainings, each without a fifth of the
items. A row for each score: the share of wrong labels among as many items of highest score as there are wrong labels. Rows are written as
they come, and the same command goes on where it stopped."""
import sys
from time import process_time
from torch.utils.data import TensorDataset
from fastai.basics import *
from fastai_blf.jobs import *
from fastai_blf.callback import *
from fastai_blf.history import *
from fastai_blf.epochs import *
from fastai_blf.measure import *

jobs = dict(digits  = dict(data='digits', size=16, epochs=40, lr=.01),
            cifar2  = dict(data='cifar2', n_train=5000, n_valid=2000, size=16, epochs=16, lr=.01),
            cifar   = dict(data='cifar', n_train=5000, n_valid=2000, size=16, epochs=16, lr=.01),
            reviews = dict(data='reviews', n_train=1200, n_valid=500, bs=32, epochs=3, lr=1e-4))

def settings(job):
    "The data of a job, and how to train on them"
    j = dict(jobs[job])
    return j,dict(epochs=j.pop('epochs'), lr=j.pop('lr'), model=default_model(j['data']))

class Notes:
    "Keeps the prediction for each item in each epoch"
    def begin_fit(self):
        super().begin_fit()
        self.preds = []
    def after_pred(self):
        n = len(self.batches)
        super().after_pred()
        for idxs,losses,*_ in self.batches[n:]: self.preds.append((self.epoch, idxs, self.pred.detach().float(), self.y.clone(), losses))
class Plain(Notes,LossHistory): pass
class Elf(Notes,EpochLossFilter): name = 'elf'

methods = dict(plain=lambda: [Plain()], blf=lambda: [Plain(),BatchLossFilter()], elf=lambda: [Elf()])

def labels_of(ds): return ds.tensors[-1].long() if hasattr(ds, 'tensors') else tensor([int(y) for _,y in ds])

def relabel(dls, idxs, labels):
    "Give the items `idxs` of the training set other labels"
    ds = dls.train_ds
    if hasattr(ds, 'tensors'): ds.tensors = (*ds.tensors[:-1], ds.tensors[-1].index_copy(0, idxs, labels.to(ds.tensors[-1]))) # the data are cached
    else:
        for i,y in zip(idxs.tolist(), labels.tolist()): ds[i] = (ds[i][0],type(ds[i][1])(y))

def part(dls, idxs):
    "`dls` with a part of the training items, all augmented as before"
    ds,dl = dls.train_ds,dls.train
    ds = TensorDataset(*(t[idxs] for t in ds.tensors)) if hasattr(ds, 'tensors') else L(ds[i] for i in idxs.tolist())
    res = DataLoaders(dl.new(ds), dls.valid.new(dls.train_ds), device='cpu')
    res.c,res.n_in,res.what = dls.c,getattr(dls, 'n_in', None),dls.what
    return res

def fit(dls, seed, cbs, model, epochs, lr):
    "A training, and the processor time that it took"
    set_seed(seed, reproducible=True)
    learn,start = get_learner(dls, model, pretrained=model!='small', cbs=cbs),process_time()
    with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(epochs, lr)
    return learn,process_time()-start

def history(noted, n, epochs):
    "Of each epoch and item the loss, the probabilities of the given and the likeliest other class, and their logits; nan where it was not seen"
    res = torch.full((epochs,5,n), np.nan)
    for epoch,idxs,z,y,losses in noted:
        y,p = y.view(-1,1),z.softmax(1)
        other = lambda o: o.scatter(1, y, -np.inf).max(1).values
        res[epoch][:,idxs] = torch.stack([losses, p.gather(1,y)[:,0], other(p), z.gather(1,y)[:,0], other(z)])
    return res.numpy()

def scores(h):
    "The candidates, the more suspicious the higher"
    loss,given,other,z,z_other = h.transpose(1,0,2)
    half,mean = (len(loss)+1)//2,lambda a: pd.DataFrame(a).mean().to_numpy()
    latest = pd.DataFrame(loss).ffill().iloc[-1].to_numpy()
    right = pd.DataFrame(np.where(np.isnan(given), np.nan, given>other)).ffill()
    forgot = (right.diff()<0).sum().to_numpy()+1e3*(right.sum()==0).to_numpy() # never learned is worst (Toneva et al., section 3)
    rank = lambda a: pd.Series(a).rank().to_numpy()
    return dict(latest=latest, mean=mean(loss), first_half=mean(loss[:half]), second_half=mean(loss[half:]), given=-mean(given), margin=-mean(z-z_other), p_margin=-mean(given-other), forgot=forgot,
                mean_latest=rank(mean(loss))+rank(latest), p_margin_latest=rank(-mean(given-other))+rank(latest), given_half=-mean(given[:half]), p_margin_half=-mean((given-other)[:half]))

def by_cleanlab(dls, seed, **kw):
    "cleanlab's scores from predictions for items held out, and the time of the trainings for them"
    from cleanlab.rank import get_label_quality_scores
    n,secs,probs = len(dls.train_ds),0,None
    fold = torch.randperm(n, generator=torch.Generator().manual_seed(seed))%5
    for k in range(5):
        learn,s = fit(part(dls, (fold!=k).nonzero()[:,0]), seed, [], **kw)
        p = preds(learn)
        probs = torch.zeros_like(p) if probs is None else probs
        probs[fold==k],secs = p[fold==k],secs+s
    y = labels_of(dls.train_ds).numpy()
    return {f'cleanlab {m}':-get_label_quality_scores(y, probs.numpy(), method=m) for m in ('self_confidence','normalized_margin','confidence_weighted_entropy')},secs

@torch.no_grad()
def preds(learn):
    "Probabilities of all items of `dls.valid`, in their order"
    dl,learn.model = learn.dls.valid,learn.model.eval()
    if hasattr(dl, 'sort_func'): dl = dl.new(get_idxs=lambda: range(len(dl.dataset)))
    return torch.cat([learn.model(b[0]).float().softmax(1) for b in dl])

def wrong_labels(y, share, kind, seed, similar):
    "Which items get wrong labels, and which"
    rng,c = np.random.default_rng(seed),int(y.max())+1
    idxs = tensor(rng.choice(len(y), round(share*len(y)), replace=False))
    return idxs,similar[y[idxs]] if kind=='similar' else (y[idxs]+tensor(rng.integers(1, c, len(idxs))))%c

def planted(data, seed, share, kind='random', similar=None):
    "The data of a job with wrong labels, and the items that have them"
    dls = get_dls(**data, device='cpu')
    idxs,new = wrong_labels(labels_of(dls.train_ds), share, kind, seed, similar)
    relabel(dls, idxs, new)
    return dls,idxs

def run(job, seed, share, kind, similar, out):
    data,kw = settings(job)
    def note(method, secs, scs, wrong):
        acc = lambda s: np.isin(np.argsort(-np.nan_to_num(s, nan=-np.inf), kind='stable')[:len(wrong)], wrong).mean()
        rows = pd.DataFrame([dict(job=job, kind=kind, share=share, seed=seed, method=method, score=k, precision=acc(s), secs=secs) for k,s in scs.items()])
        rows.round(4).to_csv(out, mode='a', index=False, header=not out.exists())
    for nm,mk in methods.items():
        dls,wrong = planted(data, seed, share, kind, similar)
        cbs = mk()
        _,secs = fit(dls, seed, cbs, **kw)
        note(nm, secs, scores(history(cbs[0].preds, len(dls.train_ds), kw['epochs'])), wrong)
    dls,wrong = planted(data, seed, share, kind, similar)
    scs,secs = by_cleanlab(dls, seed, **kw)
    note('cleanlab', secs, scs, wrong)

def most_similar(job):
    "Of each class the one that a training on the right labels takes it for most"
    data,kw = settings(job)
    dls,cb = get_dls(**data, device='cpu'),Plain()
    fit(dls, 0, [cb], **{**kw, 'epochs':kw['epochs']//2})
    p,y = (torch.cat(o) for o in zip(*[(z.softmax(1),y) for _,_,z,y,_ in cb.preds]))
    return torch.zeros(dls.c, dls.c).index_add(0, y.long(), p.as_subclass(Tensor)).fill_diagonal_(0).argmax(1)

def main(out, seeds=1, *names):
    torch.set_num_threads(1)
    out = Path(out); out.parent.mkdir(exist_ok=True)
    for seed in range(int(seeds)):
        for job in names or jobs:
            similar = None
            for kind in ('random','similar') if job in ('digits','cifar') else ('random',):
                if kind=='similar': similar = most_similar(job)
                for share in (.1,.2,.05) if job!='reviews' else (.1,):
                    done = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=['job','kind','share','seed','method'])
                    if not ((done.job==job)&(done.kind==kind)&(done.share==share)&(done.seed==seed)&(done.method=='cleanlab')).any(): run(job, seed, share, kind, similar, out)

if __name__=='__main__': main(*sys.argv[1:])
