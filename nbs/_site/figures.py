"Compare the figures that the home page (README), the tutorials and the cards quote with what was measured: `python nbs/_site/figures.py`"
import json,re,sys
import pandas as pd
from pathlib import Path

nbs = Path(__file__).resolve().parents[1]
num = r'[-+]?(?:\d+\.\d+|\.\d+|\d+)'
figure = re.compile(rf'(?<![\w.^])(?P<v>{num})(?![\w.]*\d)(?P<pc>%)?(?P<pts> (?:percentage )?points?)?(?P<dir> lower| higher| more| less)?(?: \(?± ?(?P<ci>{num})%?\)?)?(?P<pair> (?:to|for) (?P<w>\.\d+))?')
no_figure = re.compile(r' ?(?:intervals?\b|positives?\b|of them\b|of (?:the|its|their|each batch.s) loss)') # what follows a share of another kind
names = {'EpochLossFilter':'elf', 'BatchLossFilter':'blf', 'passes=1':'one', 'lass weights':'weights', 'versampling':'oversample', 'ocal loss':'focal', 'LossHistory':'history', 'andom items':'random_epochs', 'RandomFilter':'random_items'}

def prose(s):
    "Markdown without code blocks, formulas and what numbers papers have"
    return re.sub(r'```.*?```|\$[^$\n]*\$|arXiv[: ][\d.]+', '', s, flags=re.S)

def quoted(line):
    "The measured figures in a line: matches of `figure` with an interval, a percent sign, points or a loss or an accuracy with three digits or beside another"
    text = re.sub(r'`[^`]*`|\]\([^)]*\)', lambda m: ' '*len(m[0]), line) # settings and links are none
    return [m for m in figure.finditer(text) if not no_figure.match(text, m.end()) and
            (m['ci'] or m['pc'] or m['pts'] or m['pair'] or re.fullmatch(r'[-+]?\d?\.\d{3,}', m['v']))]

def measured(summary, line):
    "Values and intervals in summary.csv, by unit: of the methods that the line names, or of all"
    of = {m for k,m in names.items() if k in line}
    res = dict(pc=[], pts=[], raw=[])
    cut = summary.method.str.contains('@') if 'fewer epochs' in line else False
    for r in summary[summary.method.isin(of) | cut if of else summary.method.notna()].to_dict('records'):
        res['pc'] += [(100*(1-r['time']),100*r['time_ci']),(100*r['kept'],None)]
        res['pts'] += [(100*r[f'{o}_diff'],100*r[f'{o}_ci']) for o in ('accuracy','worst','cut_accuracy','cut_worst','random_accuracy','random_worst')]
        res['raw'] += [(r['time'],r['time_ci']),(r['kept'],None),(r['accuracy'],None),(r['valid_loss'],None)]
        res['raw'] += [(r[f'{o}valid_loss_diff'],r[f'{o}valid_loss_ci']) for o in ('','cut_','random_')]
    return res

def shown(nb):
    "The same in the outputs of a notebook"
    text = ' '.join(''.join(o.get('text', '')) + ' '.join(''.join(v) for k,v in o.get('data', {}).items() if k in ('text/plain','text/markdown'))
                    for c in nb['cells'] for o in c.get('outputs', ()))
    vals = [(float(a),float(b) if b else None,pc) for a,pc,b in re.findall(rf'(?<![\w.])({num})(%?)(?: \(?± ?({num})%?\)?)?', text)]
    diffs = [(v,ci) for v,ci,pc in vals if not pc and (v<0 or ci)] # without a sign a number may be anything
    return dict(pc=[(v,ci) for v,ci,pc in vals if pc], pts=diffs+[(100*v,ci and 100*ci) for v,ci in diffs if abs(v)<1], raw=[(v,ci) for v,ci,pc in vals if not pc])

def stands(m, known):
    "Is a figure, with its interval, among those that are `known`?"
    sign = -1 if m['dir']==' lower' else 1 if m['dir'] in (' higher',' more') or m['v'][0] in '+-' else 0 # with a sign of its own a figure is as it stands
    def _near(a, b, sign=0): return b is not None and abs(abs(float(a))-abs(b)) <= .5001*10**-len(a.partition('.')[2]) and sign*float(a)*b>=0
    vals = known['pc'] if m['pc'] else known['pts'] if m['pts'] else known['pts']+known['raw'] if m['ci'] else known['raw']
    return any(_near(m['v'], v, sign) and (not m['ci'] or _near(m['ci'], ci)) for v,ci in vals) and (not m['w'] or any(_near(m['w'], v) for v,_ in known['raw']))

def problems(
    pages=None # Names and contents of notebooks, by default those of the home page, the cards and the tutorials
)->list: # A line for each figure that stands neither in summary.csv nor in an output of the page or of one that its line links to
    "Check the figures in prose"
    summary,bad,n = pd.read_csv(nbs/'results/summary.csv', comment='#'),[],0
    read = lambda f: json.loads((nbs/f).read_text(encoding='utf-8'))
    for nm,nb in (pages or {f:read(f) for f in ('index.ipynb','cards.ipynb',*sorted(o.name for o in nbs.glob('tutorial.*.ipynb')))}).items():
        own = shown(nb)
        for line in '\n'.join(prose(''.join(c['source'])) for c in nb['cells'] if c['cell_type']=='markdown').split('\n'):
            for m in quoted(line):
                n += 1
                linked = {o for o in re.findall(r'\]\(([\w.]+\.ipynb)', line) if (nbs/o).exists()}
                if not any(stands(m, k) for k in (measured(summary, line),own,*(shown(read(o)) for o in linked))):
                    bad.append(f'{nm}: {m[0].strip()} in "{line[max(0,m.start()-60):m.end()+20].strip()}" was not measured: it stands neither in summary.csv nor in an output')
    if not n: raise ValueError("The pages quote no figures")
    print(f'{n} figures in prose, {len(bad)} not measured')
    return bad

if __name__=='__main__': sys.exit('\n'.join(problems()) or None)
