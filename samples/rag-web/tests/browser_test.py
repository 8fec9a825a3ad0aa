# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: Chromium and its driver, as Debian packages them."""

import os
import re
import shutil

import pytest
from rag_web_server import CATS, TRAINS, chapters, serving

webdriver = pytest.importorskip('selenium.webdriver', reason='selenium is not installed')

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which('chromium'), shutil.which('chromedriver')
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason='there is no Chromium here: apt-get install chromium chromium-driver'
)

# Keeps what the page shows in passing, so that no test depends on looking at the right moment.
RECORD = """
window.seen = {uploads: [], values: [], answers: [], said: []};
new MutationObserver(() => {
    seen.uploads.push(document.getElementById('uploads').innerText);
    for (const bar of document.querySelectorAll('progress[value]')) seen.values.push(bar.value);
    seen.said.push(document.getElementById('status').textContent);
    seen.answers.push(document.getElementById('answer').textContent.length);
}).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
"""
DROP = """
const data = new DataTransfer();
data.items.add(new File([arguments[1]], arguments[0]));
for (const type of ['dragover', 'drop']) {
    document.querySelector('main').dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
}
"""
SEEN = """
const box = document.activeElement.getBoundingClientRect();
return box.top < innerHeight && box.bottom > 0;
"""


class Page:
    """The page, as somebody uses it."""

    def __init__(self, driver):
        self.driver = driver

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition):
        return WebDriverWait(self.driver, 120, 0.05).until(lambda _: condition())

    def names(self):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('#indexed .name')].map((one) => one.textContent)"
        )

    def add(self, *paths):
        self.one('#files').send_keys('\n'.join(map(str, paths)))

    def ask(self, question):
        box = self.one('#question')
        box.clear()
        box.send_keys(question, Keys.ENTER)

    def answered(self):
        self.until(lambda: self.one('#answer').get_attribute('aria-busy') == 'false')
        return self.one('#answer').text

    def delete_all(self):
        for name in self.names():
            button = self.one('#indexed button')
            button.send_keys(Keys.ENTER)
            assert button.text == 'Really delete?'
            button.send_keys(Keys.ENTER)
            self.until(lambda name=name: name not in self.names())


@pytest.fixture(scope='module')
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    quiet = ('--disable-background-networking', '--disable-component-update', '--no-first-run')
    for argument in ('--headless=new', '--disable-dev-shm-usage', '--window-size=1200,800', *quiet):
        options.add_argument(argument)
    if hasattr(os, 'geteuid') and os.geteuid() == 0:
        # Chromium's sandbox does not run as root.
        options.add_argument('--no-sandbox')
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, scripted):
    driver.get(scripted.base)
    page = Page(driver)
    page.until(lambda: page.one('#limits').text)
    page.delete_all()
    driver.execute_script(RECORD)
    yield page
    page.delete_all()
    assert driver.get_log('browser') == []


@pytest.fixture
def files(tmp_path):
    def write(**texts):
        paths = []
        for name, text in texts.items():
            paths.append(tmp_path / f'{name}.md')
            paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
        return paths

    return write


def test_from_upload_to_citation(page, files):
    page.until(lambda: page.one('#welcome').is_displayed())
    page.add(*files(cats=CATS, trains=TRAINS, book=chapters(600), photo=b'\x89PNG\0'))
    page.until(lambda: page.names() == ['book.md', 'cats.md', 'trains.md'])
    assert not page.one('#welcome').is_displayed()
    page.until(lambda: 'photo.md is a binary file' in page.one('#uploads').text)
    assert len(page.all('#uploads li')) == 1
    assert '600 passages' in page.one('#indexed').text
    seen = page.driver.execute_script('return seen')
    said = ' '.join(seen['said'])
    assert 'photo.md was not indexed: photo.md is a binary file' in said
    assert 'book.md is indexed: 600 passages.' in said
    assert any('Indexing: 100 of 600 passages' in text for text in seen['uploads'])
    assert any(0 < value < 1 for value in seen['values'])
    assert page.all('#uploads progress') == []
    page.one('#uploads button').click()
    assert page.all('#uploads li') == []

    page.ask('What does a cat eat? (odd)')
    assert 'A cat eats meat, and drinks water. 1' in page.answered()
    lengths = [length for length in page.driver.execute_script('return seen.answers') if length]
    assert len(set(lengths)) > 5
    assert lengths == sorted(lengths)
    assert 'There is no passage [99], and <b>this</b> is not bold.' in page.one('#answer').text
    assert [cite.text for cite in page.all('.cite')] == ['1', '2']
    first = page.one('#passage-1')
    assert [first.find_element(By.CSS_SELECTOR, part).text for part in ('.file', '.section')] == ['cats.md', 'Food']
    assert float(first.find_element(By.CSS_SELECTOR, '.score').text) > 0.4
    assert page.all('.passage.cited') == []

    for number in ('2', '1'):
        cite = page.one(f'.cite[href="#passage-{number}"]')
        assert cite.get_attribute('aria-label').startswith(f'Passage {number}: ')
        cite.send_keys(Keys.ENTER)
        marked = page.all('.passage.cited')
        assert [passage.get_attribute('id') for passage in marked] == [f'passage-{number}']
        assert page.driver.switch_to.active_element == marked[0]
        page.until(lambda: page.driver.execute_script(SEEN))
        marked[0].find_element(By.CSS_SELECTOR, '.back').click()
        assert page.driver.switch_to.active_element == cite


def test_what_documents_and_names_hold_stays_text(page, tmp_path):
    evil = '<img src=x onerror="window.hacked=1">'
    path = tmp_path / f'{evil} & <b>bold<b>.md'
    path.write_text(
        f'# {evil}\n\n<script>window.hacked=1</script> [link](javascript:alert(1)) {evil}\n\n[1] `{evil}` **{evil}**\n'
    )
    page.add(path)
    page.until(lambda: page.names() == [path.name])
    page.ask(f'What about {evil}?')
    assert '<script>window.hacked=1</script>' in page.answered()
    shown = page.one('#passage-1')
    assert path.name in shown.text
    assert f'{evil}' in shown.find_element(By.CSS_SELECTOR, '.section').text
    assert page.one('#asked').text == f'What about {evil}?'
    for place in ('#result', 'aside'):
        assert page.all(f'{place} img, {place} script, {place} b') == []
    assert page.all('#result a:not(.cite)') == []
    assert page.driver.execute_script('return window.hacked') is None


def test_stop_and_failure(page, files):
    page.add(*files(cats=CATS))
    page.until(page.names)
    page.ask('forever')
    page.until(lambda: 'And so on' in page.one('#answer').text)
    assert not page.one('#send').is_enabled()
    # A citation can be used while the answer grows: what is written stays where it is.
    cite, length = page.one('.cite'), len(page.one('#answer').text)
    page.until(lambda: len(page.one('#answer').text) > length)
    cite.click()
    assert page.one('.passage.cited').get_attribute('id') == 'passage-1'
    page.one('#stop').click()
    page.until(lambda: page.one('#note').text == 'Stopped.')
    assert 'And so on' in page.answered()
    page.ask('break')
    page.until(lambda: page.one('#problem').is_displayed())
    assert 'scripted/librarian did not answer' in page.one('#problem').text
    assert page.answered().endswith('Cats purr when they are content. 1')
    page.ask('What does a cat eat?')
    assert 'A cat eats meat' in page.answered()
    assert not page.one('#problem').is_displayed()
    assert not page.one('#stop').is_displayed()


def test_drop_cancel_and_replace(page, files):
    page.driver.execute_script(DROP, 'dropped.md', CATS)
    page.until(lambda: page.names() == ['dropped.md'])
    assert '2 passages' in page.one('#indexed').text
    seen = page.driver.execute_script('return seen.uploads')
    assert any('Reading' in text for text in seen)
    page.driver.execute_script(DROP, 'dropped.md', chapters(3000))
    page.until(lambda: 'Indexing: ' in page.one('#uploads').text)
    page.one('#uploads button').click()
    page.until(lambda: page.all('#uploads li') == [])
    page.driver.execute_script(DROP, 'large.md', 'a' * 1_000_001)
    page.until(lambda: 'the limit is 1 MB' in page.one('#uploads').text)
    page.driver.execute_script(DROP, 'dropped.md', TRAINS)
    page.until(lambda: '1 passage ·' in page.one('#indexed').text)
    assert page.names() == ['dropped.md']


def test_a_slow_line(page):
    page.driver.set_network_conditions(latency=0, download_throughput=10**7, upload_throughput=200_000)
    try:
        page.driver.execute_script(DROP, 'slow.md', '# Slow\n\n' + 'word ' * 30_000)
        page.until(lambda: page.names() == ['slow.md'])
    finally:
        page.driver.delete_network_conditions()
    sent = [
        int(part)
        for text in page.driver.execute_script('return seen.uploads')
        for part in re.findall(r'Uploading: (\d+) %', text)
    ]
    assert sent
    assert sent == sorted(sent)
    assert 0 < max(sent) < 100


def test_a_phone_at_night(page, files):
    page.add(*files(cats=CATS, book=chapters(3) + 'x' * 500))
    page.until(lambda: len(page.names()) == 2)
    size = {'width': 360, 'height': 740, 'deviceScaleFactor': 1, 'mobile': True}
    dark = {'features': [{'name': 'prefers-color-scheme', 'value': 'dark'}]}
    page.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    page.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', dark)
    try:
        page.ask('What does a cat eat?')
        assert page.answered()
        assert page.driver.execute_script('return document.documentElement.scrollWidth') == 360
        colour = page.driver.execute_script('return getComputedStyle(document.body).backgroundColor')
        assert all(int(part) < 60 for part in colour[4:-1].split(','))
    finally:
        page.driver.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
        page.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})


def test_everything_that_can_be_used_has_a_name(page, files):
    page.add(*files(cats=CATS))
    page.until(page.names)
    page.ask('What does a cat eat?')
    page.answered()
    tree = page.driver.execute_cdp_cmd('Accessibility.getFullAXTree', {})
    named = {'button': [], 'link': [], 'textbox': [], 'list': [], 'heading': []}
    for node in tree['nodes']:
        role = node.get('role', {}).get('value')
        if role in named and not node['ignored']:
            named[role].append(node['name']['value'])
    assert 'Your question' in named['textbox']
    assert {'Ask', 'Add files', 'Delete cats.md'} <= set(named['button'])
    assert {'Passage 1: cats.md, Food', 'Skip to the question'} <= set(named['link'])
    assert 'What does a cat eat?' in named['heading']
    assert all(name for role in ('button', 'link', 'textbox', 'heading') for name in named[role])


def test_without_a_model_and_then_without_a_server(driver, files, tmp_path):
    page = Page(driver)
    with serving(tmp_path / 'plain') as server:
        driver.get(server.base)
        page.until(lambda: page.one('#model').text == 'Passages only')
        page.ask('What does a cat eat?')
        page.until(lambda: 'Nothing is indexed yet' in page.one('#note').text)
        page.add(*files(cats=CATS))
        page.until(page.names)
        page.ask('What does a cat eat?')
        page.until(lambda: 'set GROQ_API_KEY or COHERE_API_KEY, or run Ollama' in page.one('#note').text)
        assert 'A cat eats meat' in page.one('#passage-1').text
        assert not page.one('#answer').is_displayed()
    page.ask('Anybody there?')
    page.until(lambda: 'cannot be reached' in page.one('#problem').text)
    # The browser itself logs the refused connection.
    assert all('ERR_CONNECTION_REFUSED' in entry['message'] for entry in driver.get_log('browser'))
