from configparser import ConfigParser
from pathlib import Path
from setuptools import setup

root = Path(__file__).parent
cfg = ConfigParser(delimiters=['='])
cfg.read(root/'settings.ini', encoding='utf-8')
cfg = cfg['DEFAULT']

statuses = ['1 - Planning', '2 - Pre-Alpha', '3 - Alpha', '4 - Beta', '5 - Production/Stable', '6 - Mature', '7 - Inactive']
licenses = dict(apache2='Apache-2.0')

setup(
    version = cfg['version'],
    description = cfg['description'],
    keywords = cfg['keywords'].split(),
    author = cfg['author'],
    author_email = cfg['author_email'],
    license = licenses[cfg['license']],
    packages = [cfg['lib_path']],
    python_requires = '>=' + cfg['min_python'],
    install_requires = cfg['requirements'].split(),
    extras_require = dict(dev=cfg['dev_requirements'].split(), jobs=cfg['jobs_requirements'].split()),
    entry_points = dict(console_scripts=cfg['console_scripts'].split(), nbdev=[f"{cfg['lib_path']} = {cfg['lib_path']}._modidx:d"]),
    classifiers = [f"Development Status :: {statuses[int(cfg['status'])-1]}", 'Intended Audience :: ' + cfg['audience'],
                   'Natural Language :: ' + cfg['language'], 'Programming Language :: Python :: 3'],
    long_description = (root/'README.md').read_text(encoding='utf-8'),
    long_description_content_type = 'text/markdown',
    zip_safe = False)
