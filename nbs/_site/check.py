"Check the links, anchors, pictures and entries of docs/ and README.md: `python nbs/_site/check.py`"
import ast,re,runpy,sys
from fastcore.foundation import L
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote,urlsplit
from nbdev.config import get_config
from nbdev.doclinks import patch_name

class _Page(HTMLParser):
    "The links of an HTML page, the anchors that it has, and its pictures that no text of their own describes"
    def __init__(self, text):
        super().__init__()
        self.links,self.ids,self.mute = [],set(),[]
        self.feed(text)
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ('id','name') if attrs.get(k)}
        self.links += [attrs[k] for k in ('href','src') if attrs.get(k)]
        if tag=='img' and (attrs.get('alt') or '').strip() in ('',attrs['src']): self.mute.append(attrs['src']) # MyST-NB puts the file's name where there is no text

class _MdPage:
    "The same of a Markdown file; anchors are those of the page made of it"
    def __init__(self, text):
        text = re.sub(r'^```.*?^```|`[^`\n]+`', '', text, flags=re.M|re.S)
        self.links = [a or b for a,b in re.findall(r'\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"', text)]
        self.mute = re.findall(r'!\[\s*\]\(([^)\s]+)\)', text)

@lru_cache(None)
def _page(path): return (_Page if path.suffix=='.html' else _MdPage)(path.read_text(encoding='utf-8'))

def _texts(root, docs): return sorted([*docs.rglob('*.html'), *docs.rglob('*.md'), *docs.glob('llms.txt'), root/'README.md'])

def broken_links(
    root:Path # The project's folder
)->list: # A line for each internal link that leads nowhere
    "Check the links in docs/, its Markdown included, and README.md to files and anchors of the project, given relatively or by an address"
    cfg = get_config(root)
    docs,base,bad,n = root/cfg.doc_path.name,f'{cfg.doc_host}{cfg.doc_baseurl}/',[],0
    srcs,repo = {f:_page(f).links for f in _texts(root, docs)},f'{cfg.git_url}/blob/{cfg.branch}/'
    for f,links in srcs.items():
        for l in links:
            if l.startswith(base): dest = docs/unquote(urlsplit(l).path.removeprefix(f'{cfg.doc_baseurl}/'))
            elif l.startswith(repo): dest = root/unquote(urlsplit(l.removeprefix(repo)).path)
            elif urlsplit(l).scheme or l.startswith('//'): continue
            else: dest = f.parent/unquote(urlsplit(l).path) if urlsplit(l).path else f
            n += 1
            if dest.is_dir() and (dest/'index.html').exists(): dest = dest/'index.html'
            anchor,page = unquote(urlsplit(l).fragment),dest
            if dest.suffix=='.md': page = docs/('index.html' if dest==root/'README.md' else dest.stem)
            if not dest.exists(): bad.append(f'{f.relative_to(root)}: no file for {l}')
            elif anchor and page.suffix=='.html' and anchor not in _page(page.resolve()).ids: bad.append(f'{f.relative_to(root)}: no anchor for {l}')
    if not n: raise ValueError(f"There are no links in {docs}: build the site first")
    print(f'{n} internal links in {len(srcs)} files, {len(bad)} broken')
    return bad

def unfit_files(
    root:Path, # The project's folder
    max_kb:int=100 # Size that a picture may have, in kB
)->list: # A line for each picture that is too large, and for each page that names a folder of the machine it was made on
    "Check what the pages of docs/ show"
    docs = root/get_config(root).doc_path.name
    big = [f'{f.relative_to(root)}: a picture of {f.stat().st_size//1000} kB, and {max_kb} is the most'
           for f in sorted((docs/'_images').glob('*')) if f.stat().st_size>max_kb*1000]
    names = {f:re.search(r'(?<![\w.:/])/(?:tmp|root|home|opt|usr|var)/[\w.-]+', f.read_text(encoding='utf-8')) for f in sorted(docs.glob('*.html'))}
    return big + [f'{f.relative_to(root)}: the path {m[0]}' for f,m in names.items() if m]

def missing_entries(
    root:Path # The project's folder
)->list: # A line for each exported symbol without an entry
    "Check that the reference has what the package exports, patched methods included"
    cfg = get_config(root)
    syms = runpy.run_path(cfg.lib_path/'_modidx.py')['d']['syms']
    bad,n = [],0
    for mod,d in syms.items():
        if mod.split('.')[-1][0]=='_': continue # what tests share
        tops = ast.parse((root/f"{mod.replace('.','/')}.py").read_text(encoding='utf-8')).body
        for t in tops:
            if not isinstance(t, (ast.FunctionDef,ast.ClassDef)): continue
            for nm in L(patch_name(t) or t.name):
                if nm.split('.')[-1].startswith('_'): continue
                page,anchor = d[f'{mod}.{nm}'][0].split('#')
                n += 1
                if anchor not in _page(root/cfg.doc_path.name/page).ids: bad.append(f'{page}: no entry for `{nm}`')
    print(f'{n} exported symbols, {len(bad)} without an entry')
    return bad

def mute_pictures(
    root:Path # The project's folder
)->list: # A line for each picture without a text of its own
    "Check that the pictures of docs/ have an alternative text, `#| fig-alt:` in the cell that draws them"
    docs = root/get_config(root).doc_path.name
    return [f'{f.relative_to(root)}: no alternative text for {o}' for f in _texts(root, docs) for o in _page(f).mute]

def problems(root): return broken_links(root)+unfit_files(root)+mute_pictures(root)+missing_entries(root)

if __name__=='__main__': sys.exit('\n'.join(problems(get_config(Path(__file__).resolve().parent).config_path)) or None)
