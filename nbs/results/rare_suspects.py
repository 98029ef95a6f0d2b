"""Are rare classes taken for wrong? python nbs/results/rare_suspects.py OUT

Data with rare classes, and the share of the items of these and of the other classes that a filter would leave out as suspects after its
training (`guard`), and that are listed as suspects (`listed`). Labels as they are, and, of images, with a tenth of them replaced at random:
then also the share of wrong labels among the items of rare classes (`wrong_rare`) and among those of them that the guard leaves out
(`guard_wrong_rare`)."""
import sys
from suspects import *
from fastai_blf.suspects import *

jobs = [('digits', dict(presets['digits'], rare=3), (0,1,2), share) for share in (0,.1)] + [('rare', presets['rare'], (0,1,2), share) for share in (0,.1)]
jobs += [(job, presets[job], (1,), 0) for job in ('default','caravan')]

def found(job, data, classes, share):
    "A row for a job"
    kw = {k:v for k,v in data.items() if k!='seeds'}
    epochs,lr = kw.pop('epochs'),kw.pop('lr')
    if share: dls,idxs = planted(kw, 0, share)
    else: dls,idxs = get_dls(**kw, device='cpu'),[]
    learn,_ = fit(dls, 0, [LossHistory()], default_model(kw['data']), epochs, lr)
    m,n = learn.loss_history.memory,len(dls.train_ds)
    among = lambda idxs: np.isin(np.arange(n), idxs)
    rare,guard,listed,wrong = among(np.flatnonzero(torch.isin(m.label, tensor(classes)))),m.is_suspect().numpy(),among(learn.loss_history.suspects()['item']),among(idxs)
    res = dict(job=job, wrong=share, accuracy=learn.recorder.values[-1][2], rare=rare.sum(), others=(~rare).sum(), guard_rare=guard[rare].mean(), guard_others=guard[~rare].mean(),
               listed_rare=listed[rare].mean(), listed_others=listed[~rare].mean())
    return res | dict(wrong_rare=wrong[rare].mean(), guard_wrong_rare=wrong[rare&guard].mean()) if share else res

def main(out):
    torch.set_num_threads(1)
    rows = []
    for job in jobs:
        rows.append(found(*job))
        save_results(pd.DataFrame(rows), out, [f'python nbs/results/rare_suspects.py {Path(out).name}', hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
