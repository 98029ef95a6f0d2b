"Run the code that README.md and the pages of docs/ show as a reader pastes it, in order, in a folder of its own: `python nbs/_site/paste.py [PAGE ...]`"
import json,os,re,shutil,subprocess,sys,tempfile,time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from nbdev.config import get_config
from blf_page import page_nm

not_pasted = dict(compat='a test of what else is installed', callbacks='the same', distributed='a test of several processes', cases='a record of results/')

def why_not(nb): return not_pasted.get(page_nm(nb)) or ('a record of results/' if nb.name[0]=='3' else None)

# The reader is a process of its own with IPython, so that a block shows what it would show in a notebook
_reader = '''
import json,sys,warnings
from IPython.core.interactiveshell import InteractiveShell
warnings.simplefilter('ignore')
shell = InteractiveShell.instance()
for i,src in json.load(sys.stdin):
    res = shell.run_cell(src)
    e = res.error_before_exec or res.error_in_exec
    if e: sys.exit(f"block {i}, `{src.splitlines()[0]}`, fails with {type(e).__name__}: {e}")
'''

def blocks(md): return [o.strip() for o in re.findall(r'^```python\n(.*?)^```', md, re.M|re.S)]

def _is_signature(src): return bool(re.search(r':(?: *#.*)?\Z', src)) # a header without a body

def skips(
    nb:Path # The notebook of a page
)->dict: # From code, as the page shows it, to why it is not pasted: `#| no-paste: why` in its cell
    res = {}
    for c in json.loads(nb.read_text(encoding='utf-8'))['cells']:
        src = ''.join(c['source'])
        if c['cell_type']!='code': res |= {o:'a sketch within the text' for o in blocks(src)}
        elif m := re.search(r'^#\| *no-paste: *(.*)', src, re.M): res[re.sub(r'^#\|.*\n?', '', src, flags=re.M).strip()] = m[1]
    return res

def paste(
    md:Path, # A page
    nb:Path, # The notebook that it is made of
)->tuple: # Is it right? And what to say of it
    why,t = skips(nb),time.monotonic()
    todo = [(i,s) for i,s in enumerate(blocks(md.read_text(encoding='utf-8')), 1) if not _is_signature(s)]
    run = [o for o in todo if o[1] not in why]
    env = os.environ | dict(MPLBACKEND='Agg', OMP_NUM_THREADS='1')
    with tempfile.TemporaryDirectory() as tmp:
        if nb.name[0].isdigit(): shutil.copytree(nb.parent/'results', f'{tmp}/results') # the reference is read in a clone, the rest in an empty folder
        p = subprocess.run([sys.executable,'-c',_reader], input=json.dumps(run), cwd=tmp, env=env, text=True, capture_output=True)
    res = [f'{md.name}: {len(run)} blocks, {time.monotonic()-t:.0f} s', *[f'  skipped block {i}, `{s.splitlines()[0]}`: {why[s]}' for i,s in todo if s in why]]
    if p.returncode: res += ['  '+(p.stderr.strip().splitlines() or [f'ended with {p.returncode}'])[-1]]
    return not p.returncode,'\n'.join(res)

if __name__=='__main__':
    cfg = get_config(Path(__file__).resolve().parent)
    root,docs,want = cfg.config_path,cfg.config_path/cfg.doc_path.name,sys.argv[1:]
    nbs = [o for o in sorted(cfg.nbs_path.glob('*.ipynb')) if (page_nm(o) in want if want else not why_not(o))]
    with ThreadPoolExecutor(2) as ex:
        res = [ex.submit(paste, root/'README.md' if page_nm(o)=='index' else docs/f'{page_nm(o)}.html.md', o) for o in nbs]
        for o in res: print(o.result()[1], flush=True)
    if not want: print('not pasted:', ', '.join(f'{page_nm(o)}, {why_not(o)}' for o in sorted(cfg.nbs_path.glob('*.ipynb')) if why_not(o)))
    bad = sum(not o.result()[0] for o in res)
    print(f'{len(res)} pages, {bad} with a block that fails')
    sys.exit(bool(bad))
