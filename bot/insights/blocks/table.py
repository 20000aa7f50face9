"""Every block there is. A new one is a Block in a module of its own and a line here: page, file and API follow."""

from collections.abc import Mapping

from bot.insights.blocks import audience, engagement, guidance, reaching
from bot.insights.blocks.shapes import Block

BLOCKS: Mapping[str, Block] = {
    block.name: block for block in (*reaching.BLOCKS, *audience.BLOCKS, *engagement.BLOCKS, *guidance.BLOCKS)
}
"""In the page's order."""
