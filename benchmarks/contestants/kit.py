# mypy: ignore-errors
# a2akit is not installed where types are checked.
"""a2akit's agent; what it does depends on the first word of a message."""

from a2akit import A2AServer, AgentCardConfig, CapabilitiesConfig, Worker


class Bench(Worker):
    async def handle(self, ctx):
        text = ctx.user_text
        word = text.partition(" ")[0]
        if word == "message":
            await ctx.reply_directly(text)
        elif word == "stream":
            count = int(text.split()[1])
            for number in range(count):
                await ctx.emit_text_artifact(
                    f"chunk {number} ", artifact_id="a1", append=number > 0, last_chunk=number == count - 1
                )
            await ctx.complete()
        elif text:
            await ctx.complete(text)
        else:
            await ctx.emit_artifact(
                artifact_id="file", file_bytes=ctx.files[0].content, media_type="application/octet-stream"
            )
            await ctx.complete()


server = A2AServer(
    worker=Bench(),
    agent_card=AgentCardConfig(
        name="Bench",
        description="Does what it is measured at",
        version="1",
        capabilities=CapabilitiesConfig(streaming=True),
        input_modes=["text/plain", "application/octet-stream"],
    ),
)
app = server.as_fastapi_app()
