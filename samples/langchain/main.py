# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""LangChain and Genkit, both ways: its retriever and model in Genkit, Genkit's collection and model in its chain.

uv run --package sample-langchain samples/langchain/main.py [QUESTION]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from genkit import Document, GenkitError, Plugin
from genkit.evaluator import BaseDataPoint
from genkitx import Genkit, raise_if_failed
from genkitx.local import DevLocalVectorStore, LocalEmbeddings
from genkitx_langchain import ChatGenkit, Evaluators, GenkitTracer, GenkitVectorStore, LangChain
from langchain_core.documents import Document as LangChainDocument
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from pieces import Quoter, WordRetriever

GROQ = 'groq/openai/gpt-oss-20b'
CRITERIA = ('conciseness', 'correctness')
TEXTS = {
    'emperor': 'The emperor penguin is the tallest of all penguins. It weighs up to forty kilograms.',
    'little': 'The little penguin is the smallest of all. It comes ashore at night.',
    'gentoo': 'No other penguin swims as fast as the gentoo penguin.',
    'food': 'Penguins eat fish, squid and krill.',
}
PROMPT = ChatPromptTemplate.from_template('Answer in a sentence, from this:\n{context}\n\n{question}')


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description='LangChain in Genkit, and Genkit in LangChain.')
    parser.add_argument('question', nargs='?', default='Which penguin is the tallest?', help='about penguins')
    parser.add_argument('--data', type=Path, default=Path('.sample-langchain'), help='folder of the index')
    options = parser.parse_args()
    if not options.question.strip():
        parser.error('the question is empty')
    return options


def plugins(data: Path) -> tuple[list[Plugin], str]:
    """Returns the plugins, and the model: one of Groq's if there is a key, else LangChain's `Quoter` as a Genkit model."""
    store = DevLocalVectorStore(['penguins'], embedder='local/wordllama', directory=data)
    pieces = {'models': {'quoter': Quoter()}, 'retrievers': {'words': WordRetriever(texts=TEXTS)}}
    if not os.environ.get('GROQ_API_KEY'):
        return [LocalEmbeddings(), store, LangChain(**pieces)], 'langchain/quoter'
    from genkitx_groq import Groq

    judge = Evaluators(judge=GROQ, criteria=CRITERIA)
    return [LocalEmbeddings(), store, Groq(), LangChain(**pieces, evaluators=judge)], GROQ


async def langchain_in_genkit(ai: Genkit, question: str) -> str:
    """Retrieves with LangChain's retriever and answers with the model, as with any other of Genkit's actions."""
    found = await ai.retrieve(retriever='langchain/words', query=question, options={'k': 2})
    for document in found:
        print(f'  {(document.metadata or {})["source"]}: {document.text}')
    return raise_if_failed(await ai.generate(prompt=question, docs=found)).text


async def genkit_in_langchain(ai: Genkit, model: str, question: str) -> str:
    """Runs a LangChain chain over Genkit's collection and model; with the tracer both are one trace in the Dev UI."""
    collection = ai.collection('devLocalVectorstore/penguins')
    documents = [Document.from_text(text, {'source': name}) for name, text in TEXTS.items()]
    (await collection.add(documents, on_conflict='skip')).raise_for_failures()
    retriever = GenkitVectorStore(collection).as_retriever(search_kwargs={'k': 2})

    def as_text(found: list[LangChainDocument]) -> str:
        for one in found:
            print(f'  {one.metadata["source"]}: {one.page_content}')
        return '\n'.join(one.page_content for one in found)

    context = {'context': retriever | as_text, 'question': RunnablePassthrough()}
    chain = context | PROMPT | ChatGenkit(ai=ai, model=model) | StrOutputParser()
    return await chain.ainvoke(question, {'callbacks': [GenkitTracer()]})


async def judge(ai: Genkit, question: str, answer: str) -> None:
    """Prints what the judge says of an answer."""
    for criterion in CRITERIA:
        dataset = [BaseDataPoint(input=question, output=answer)]
        [result] = (await ai.evaluate(evaluator=f'langchain/{criterion}', dataset=dataset)).root
        score = result.evaluation[0] if isinstance(result.evaluation, list) else result.evaluation
        print(f'{criterion}: {score.error or ("yes" if score.score else "no")}')


async def run(options: argparse.Namespace) -> int:
    """Goes both ways."""
    options.data.mkdir(parents=True, exist_ok=True)
    used, model = plugins(options.data)
    async with Genkit(plugins=used, model=model) as ai:
        print(f'{options.question}\n\nLangChain in Genkit, {model}:')
        print(f'  {await langchain_in_genkit(ai, options.question)}\n\nGenkit in LangChain, {model}:')
        answer = await genkit_in_langchain(ai, model, options.question)
        print(f'  {answer}\n')
        if model == GROQ:
            await judge(ai, options.question, answer)
        else:
            print('For answers in other words, and a judge of them, set GROQ_API_KEY.')
    return 0


def main() -> int:
    """Runs the sample; every failure ends in a message and an exit code, never in a traceback."""
    try:
        return asyncio.run(run(arguments()))
    except GenkitError as error:
        print(f'{error.status}: {error.original_message}', file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
