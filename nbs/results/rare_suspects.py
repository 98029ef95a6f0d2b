"""Are rare classes taken for wrong? python nbs/results/rare_suspects.py OUT

Data whose labels are as they are, with rare classes, and the share of the items of these and of the other classes that a filter would
leave out as suspects after its training (`guard`), and that are listed as suspects (`listed`)."""
from suspects import *
from fastai_blf.suspects import *

def main(out):
    torch.set_num_threads(1)
    rows = []
    for job,data,classes in (('digits', dict(presets['digits'], rare=3), range(3)), ('rare', presets['rare'], range(3)), ('default', presets['default'], (1,)), ('caravan', presets['caravan'], (1,))):
        kw = {k:v for k,v in data.items() if k not in ('seeds',)}
        epochs,lr = kw.pop('epochs'),kw.pop('lr')
        dls = get_dls(**kw, device='cpu')
        learn,_ = fit(dls, 0, [LossHistory()], default_model(kw['data']), epochs, lr)
        m = learn.loss_history.memory
        rare = torch.isin(m.label, tensor(list(classes)))
        listed = torch.zeros(len(rare), dtype=torch.bool)
        listed[learn.loss_history.suspects()['item'].tolist()] = True
        guard = m.is_suspect()
        rows.append(dict(job=job, accuracy=learn.recorder.values[-1][2], rare=int(rare.sum()), others=int((~rare).sum()),
                         guard_rare=guard[rare].float().mean().item(), guard_others=guard[~rare].float().mean().item(),
                         listed_rare=listed[rare].float().mean().item(), listed_others=listed[~rare].float().mean().item()))
        save_results(pd.DataFrame(rows), out, ['python nbs/results/rare_suspects.py '+' '.join(sys.argv[1:]), hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
