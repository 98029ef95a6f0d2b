"""How many labels are wrong? python nbs/results/how_many.py OUT

The number of suspects (`suspects()`, n=None) and how many of them have wrong labels, after trainings in which some labels were replaced at random."""
from suspects import *
from fastai_blf.suspects import *

def main(out):
    torch.set_num_threads(1)
    rows = []
    for job,epochs,share in (('digits',12,0), ('digits',12,.05), ('digits',12,.2), ('digits',40,.1), ('cifar2',8,0), ('cifar2',8,.1), ('cifar',10,.1)):
        data,kw = settings(job)
        dls,idxs = planted(data, 0, share)
        learn,_ = fit(dls, 0, [LossHistory()], **{**kw, 'epochs':epochs})
        found = learn.loss_history.suspects()['item']
        rows.append(dict(job=job, epochs=epochs, accuracy=learn.recorder.values[-1][2], wrong=len(idxs), suspects=len(found), wrong_suspects=int(found.isin(idxs.tolist()).sum())))
        save_results(pd.DataFrame(rows), out, ['python nbs/results/how_many.py '+' '.join(sys.argv[1:]), hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
