"""The rows of the requirement checklist, SPEC §6, and what is said of those that no test covers.

A row is `id | level | who | requirement`. Who: S server, C client, B both, W webhook receiver, X SDK, CB author of a custom
binding, E author of an extension, D maintainers of the specification. Level `implied`: stated without an RFC 2119 word.
"""

ROWS = """
# 6.1 Sending messages
SND-01 | MAY | S | answer a message with a new Task
SND-02 | MAY | S | answer with a plain Message instead
SND-03 | MUST | S | respond without waiting needlessly, with task info or a message (read together with SND-08, see D-02)
SND-04 | MAY | S | keep processing after a Task has been returned
SND-05 | implied | S | unsupported part media type → ContentTypeNotSupported
SND-06 | implied | S | message to a terminal task → UnsupportedOperation
SND-07 | implied | S | unknown or inaccessible task id → TaskNotFound
SND-08 | MUST | S | with returnImmediately false/unset, wait for a terminal or interrupted state
SND-09 | MUST | S | blocking answer carries the latest state, all artifacts, status
SND-10 | MUST | S | with returnImmediately true, return right after task creation
SND-11 | implied | C | after a non-blocking send, poll, subscribe or use push
SND-12 | implied | S | ignore returnImmediately for Message answers, streaming, push
SND-13 | SHOULD | S | tailor output to acceptedOutputModes
SND-14 | implied | C | leave the task id empty in an inline push config
SND-15 | MAY | S | deduplicate sends (may use messageId)
SND-16 | MAY | S | accept further messages for non-terminal tasks

# 6.2 Streaming
STR-01 | MUST | S | open a streaming connection for SendStreamingMessage
STR-02 | MUST | S | follow one of the two stream shapes
STR-03 | MUST | S | message-only shape: exactly one Message, then close
STR-04 | MUST | S | task shape: Task is the first event
STR-05 | MAY | S | follow with any number of status/artifact updates
STR-06 | MUST | S | close the stream at a terminal state
STR-07 | MAY | S | choose Task or Message for a stream
STR-08 | MUST | S | give progress and intermediate results promptly
STR-09 | implied | S | streaming capability absent → UnsupportedOperation; same error set as Send
STR-10 | MUST | S | deliver events in generation order
STR-11 | MUST NOT | S | reorder events in transit, any binding
STR-12 | MAY | S | serve several simultaneous streams per task
STR-13 | MUST | S | broadcast every event to all active streams of the task
STR-14 | MUST | S | each stream sees identical events in identical order
STR-15 | MUST NOT | S | let closing one stream disturb the others
STR-16 | implied | S | keep task life independent of stream life
STR-17 | SHOULD | S | (REST) avoid re-ordering
STR-18 | MAY | S | resend a final Task snapshot before closing
STR-19 | implied | S | (REST text) end at terminal or interrupted state — D-03
STR-20 | MAY | C | may miss status messages across a reconnect

# 6.3 Reading, listing, cancelling, subscribing
TSK-01 | implied | S | GetTask on unknown/inaccessible id → TaskNotFound
LST-01 | MUST | S | includeArtifacts false → no artifacts member at all
LST-02 | implied | S | includeArtifacts true → include artifacts, possibly empty
LST-03 | MUST | S | always send nextPageToken
LST-04 | MUST | S | use "" when no further page
LST-05 | implied | C | detect the end by the empty token
LST-06 | MUST | S | list only tasks visible to the caller
LST-07 | MUST | S | cursor-based pagination
LST-08 | MUST | S | sort by last update descending
LST-09 | MUST | S | sort key is the status timestamp, descending
LST-10 | MUST | S | apply authorisation scoping
LST-11 | implied | S | default page 50, min 1, max 100; may return fewer
LST-12 | implied | S | statusTimestampAfter keeps tasks with timestamp ≥ value
CAN-01 | implied | S | try to cancel; return the updated task
CAN-02 | implied | S | not cancelable → TaskNotCancelable; unknown → TaskNotFound
CAN-03 | implied | S | repeated cancels have one effect
CAN-04 | MAY | S | TaskNotFound for a repeat after the task was purged
SUB-01 | MUST | S | terminate the stream at a terminal state
SUB-02 | MUST | S | first event is the current Task
SUB-03 | implied | S | terminal task → UnsupportedOperation; unknown → TaskNotFound; no capability → UnsupportedOperation
IDM-01 | implied | S | Get/List/card reads are idempotent

# 6.4 Push configuration operations
PCF-01 | MUST | S | create establishes webhook delivery for the task
PCF-02 | MUST | S | config persists until task completion or deletion
PCF-03 | implied | S | create returns the config with its assigned id
PCF-04 | MUST | S | get returns url and settings
PCF-05 | MUST | S | get fails when the config is missing or not accessible (TaskNotFound)
PCF-06 | MUST | S | list returns every active config of the task
PCF-07 | MAY | S | paginate the list
PCF-08 | MUST | S | delete removes permanently; nothing sent afterwards
PCF-09 | MUST | S | delete is idempotent
PCF-10 | implied | S | all four: capability missing → PushNotificationNotSupported; unknown task → TaskNotFound

# 6.5 Parameters
PAR-01 | SHOULD | S | historyLength 0 → omit history
PAR-02 | MUST NOT | S | return more than historyLength messages
PAR-03 | MAY | S | return fewer than asked
PAR-04 | implied | S | historyLength unset → own default
PAR-05 | MUST | CB | state how service parameters travel
PAR-06 | MAY | B | coexist with other transport parameters; A2A ones are prefixed `a2a-`
PAR-07 | implied | B | service parameter names case-insensitive, values case-sensitive
PAR-08 | implied | B | metadata keys are strings, values any JSON

# 6.6 Errors and capability checks
ERR-01 | MUST | S | return fitting errors
ERR-02 | SHOULD | S | make them actionable
ERR-03 | MUST | S | reject missing/invalid credentials
ERR-04 | SHOULD | S | include challenge information
ERR-05 | SHOULD | S | say which scheme is needed
ERR-06 | MUST | S | authorisation error when permissions are lacking
ERR-07 | SHOULD | S | name the missing scope without leaking
ERR-08 | MUST NOT | S | reveal existence of resources outside the caller's rights
ERR-09 | MUST | S | validate all input before processing
ERR-10 | SHOULD | S | name failing parameters and reasons
ERR-11 | SHOULD | S | hint at valid values
ERR-12 | MUST | S | not-found for missing or inaccessible resources
ERR-13 | SHOULD NOT | S | let callers tell "absent" from "forbidden"
ERR-14 | SHOULD | S | distinguish temporary from permanent failure
ERR-15 | MAY | S | give retry hints (Retry-After)
ERR-16 | SHOULD | S | log system errors
ERR-17 | MUST | S | every error carries a machine code and a human message
ERR-18 | MUST | S | each detail object has `@type`
ERR-19 | SHOULD | S | use google.rpc types (ErrorInfo, BadRequest)
ERR-20 | MUST | S | map code/message/details natively without losing meaning
ERR-21 | MUST | S | map every A2A error per the table
CAP-01 | MUST | S | refuse use of undeclared capabilities with the right error
CAP-02 | MUST | S | pushNotifications absent/false → PushNotificationNotSupported on Create/Get/List/Delete
CAP-03 | MUST | S | streaming absent/false → UnsupportedOperation on SendStreamingMessage/SubscribeToTask
CAP-04 | MUST | S | extendedAgentCard absent/false → UnsupportedOperation
CAP-05 | MUST | S | declared but unconfigured extended card → ExtendedAgentCardNotConfigured
CAP-06 | MUST | S | required extension not declared by the client → ExtensionSupportRequired
CAP-07 | SHOULD | C | check the card before using optional features

# 6.7 Context, task ids, conversations
CTX-01 | MAY | S | create a contextId when none is given
CTX-02 | MUST | S | return any contextId it created
CTX-03 | MAY | S | accept a client-made contextId
CTX-04 | MUST | S | if it will not accept it, reject with an error
CTX-05 | MUST NOT | S | substitute a different contextId in that case
CTX-06 | SHOULD NOT | C | invent contextIds without knowing the server's handling
CTX-07 | SHOULD | C | treat server contextIds as opaque
CTX-08 | SHOULD | B | treat same-context items as one session
CTX-09 | MAY | S | keep state/LLM context per contextId
CTX-10 | MAY | S | expire contexts
CTX-11 | SHOULD | S | document expiry policy
CTX-12 | MUST | S | unique taskId per new task
CTX-13 | MUST | S | return the taskId in the Task
CTX-14 | MUST | C | a taskId in a message names an existing task
CTX-15 | MUST | S | TaskNotFound otherwise
CTX-16 | MUST NOT (unsupported) | C | choose ids for new tasks
CTX-17 | MAY | C | reuse contextId to continue a conversation
CTX-18 | MAY | C | use taskId with or without contextId
CTX-19 | MAY | C | use contextId alone to start another task there
CTX-20 | MUST | S | infer contextId from taskId
CTX-21 | MUST | S | reject mismatching pairs
CTX-22 | SHOULD | C | use referenceTaskIds for related tasks
CTX-23 | SHOULD | S | use referenced tasks as context
CTX-24 | SHOULD | S | exploit the shared context in answers
CTX-25 | implied | S | server messages carry contextId; taskId only if a task exists
CTX-26 | implied | S | terminal tasks are immutable; follow-ups make new tasks in the same context
CTX-27 | should | S | keep the artifact *name* stable across refinements (new artifactId)
MSG-01 | SHOULD NOT | S | deliver results in messages
MSG-02 | SHOULD | S | deliver results as artifacts
MSG-03 | MUST NOT | B | treat messages as reliable for critical data
MSG-04 | MAY | S | persist important messages in history
MSG-05 | MUST NOT | C | depend on that persistence unless agreed

# 6.8 Versioning
VER-01 | SHOULD NOT | B | put patch numbers in requests, responses, cards
VER-02 | MUST NOT | B | let patch numbers influence negotiation
VER-03 | MUST | C | send A2A-Version on every request (0.3 clients exempt)
VER-04 | MAY | C | send it as request parameter instead
VER-05 | MUST | S | process with the semantics of the requested Major.Minor
VER-06 | MUST | S | VersionNotSupported if the interface lacks it
VER-07 | MUST | S | empty value means 0.3
VER-08 | MAY ("CAN") | S | expose several versions of a transport, same or different URL
VER-09 | MUST | X | offer clients help with version/transport negotiation
VER-10 | implied | C | agents needing new features pin a version and avoid auto-downgrade
VER-11 | MUST | C | header value in Major.Minor form

# 6.9 Data model and JSON
JSN-01 | MUST | B | every binding represents the canonical model equivalently
JSN-02 | MUST | B | camelCase member names
JSN-03 | MUST | B | enums as proto identifiers (ProtoJSON)
JSN-04 | MUST | B | timestamps as ISO 8601 UTC strings
JSN-05 | SHOULD | B | millisecond precision
JSN-06 | MUST | B | parse and generate such timestamps correctly
JSN-07 | MAY | B | omit or zero-fill fractions when unknown
JSN-08 | MUST NOT | B | use offsets other than Z
JSN-09 | MUST | B | set REQUIRED fields
JSN-10 | SHOULD | B | validate and reject messages missing them
JSN-11 | MUST | B | REQUIRED arrays have ≥ 1 element (D-08)
JSN-12 | SHOULD | B | ignore unknown members
JSN-13 | implied | B | distinguish set-to-default from unset for `optional` fields
JSN-14 | implied | B | artifact ids unique per task; Part has exactly one content member
JSN-15 | MUST | X | regenerate types from the proto, never hand-edit derived forms

# 6.10 Push delivery
PSH-01 | MUST | S | send the configured credentials
PSH-02 | MUST | W | acknowledge with 2xx
PSH-03 | SHOULD | W | be idempotent
PSH-04 | MUST | W | check the task id is expected (13.2: SHOULD)
PSH-05 | SHOULD | W | verify the source
PSH-06 | MUST | S | at least one delivery attempt per webhook
PSH-07 | MAY/SHOULD | S | retry with exponential backoff
PSH-08 | SHOULD | S | timeout (10–30 s)
PSH-09 | MAY | S | stop after repeated failures
PSH-10 | SHOULD | S | validate URLs against SSRF (private, loopback, link-local; allow-list)
PSH-11 | MUST | W | validate authenticity with the agreed credentials
PSH-12 | SHOULD | W | rate-limit
PSH-13 | SHOULD | W | use HTTPS endpoints
PSH-14 | SHOULD | B | webhook URLs are HTTPS
PSH-15 | SHOULD | B | treat tokens as secrets, rotate
PSH-16 | SHOULD | S | store configs and credentials securely
PSH-17 | SHOULD | C | one unique, single-purpose token per config
PSH-18 | implied | S | payload is exactly one StreamResponse member, plain HTTP JSON for every binding
PSH-19 | SHOULD NOT | S | POST blindly to client-given URLs
PSH-20 | SHOULD | S/W | include a timestamp; reject old ones

# 6.11 Extensions
XTN-01 | SHOULD | E | version in the URI
XTN-02 | MUST | E | new URI for breaking changes
XTN-03 | SHOULD | S | ignore an unsupported requested extension/version
XTN-04 | MUST | S | error instead if that extension is required
XTN-05 | MUST NOT | S | fall back to an older version by itself
XTN-06 | SHOULD | S | echo activated extensions in the response header
XTN-07 | implied | S | extensions are off unless requested
XTN-08 | implied | E | no new core fields, no new enum values; use metadata
XTN-09 | MUST | S | validate extension input; same auth for extension methods; no bypass
XTN-10 | implied | C | activate an extension's required dependencies too
XTN-11 | MUST | X | SDK extension support is off by default, explicit opt-in (MAY implement at all)
XTN-12 | should | S | not mark data-only extensions required

# 6.12 Bindings in general
BND-01 | MUST | S | all offered bindings: same operations and capabilities
BND-02 | MUST | S | semantically equal results
BND-03 | MUST | S | consistent error mapping
BND-04 | MUST | S | same auth schemes everywhere
BND-05 | MUST | S | declare every binding in the card
BND-06 | MAY | C | pick any declared one
BND-07 | SHOULD | C | implement fallback

# 6.13 Authentication, authorisation, in-task authorisation
AUT-01 | MUST | B | encrypted transport in production
AUT-02 | SHOULD | B | modern TLS (1.3+), strong ciphers
AUT-03 | SHOULD | C | verify the server certificate
AUT-04 | MUST | S | authenticate every request as declared
AUT-05 | SHOULD | S | binding-specific auth error codes
AUT-06 | SHOULD | S | challenge info
AUT-07 | MAY | S | authorise by skill, action, data policy, scope
AUT-08 | implied | C | discover schemes from the card, obtain credentials out of band, send on every request in headers/metadata
ITA-01 | MUST | S | use a Task when asking the client for authorisation
ITA-02 | MUST | S | move it to AUTH_REQUIRED
ITA-03 | MUST | S | explain in the status message unless otherwise agreed
ITA-04 | MUST | S | arrange out-of-band credential receipt unless in-band is negotiated
ITA-05 | SHOULD | S | keep streams open while waiting out of band
ITA-06 | MAY | S | resume at once, no follow-up message needed
ITA-07 | SHOULD | S | accept messages to the task while in AUTH_REQUIRED
ITA-08 | SHOULD | C | when it is itself an agent, follow the agent rules while delegating upward
ITA-09 | SHOULD | C | subscribe, register a webhook or poll so as not to miss resumption
ITA-10 | SHOULD | S | receive credentials over a secure channel
ITA-11 | SHOULD | B | in-band credentials bound to the requesting agent
ITA-12 | SHOULD | B | sensitive in-band credentials readable only by it
ITA-13 | MUST NOT | S | take the state transition itself as permission
ITA-14 | MUST | S | scope of the authorisation is defined by implementation, issuer or extension
ITA-15 | MUST NOT | S | assume it covers later messages on the task

# 6.14 Agent card, selection, signing, caching
CRD-01 | MUST | S | publish a card
CRD-02 | MUST | S | declare protocols properly
CRD-03 | SHOULD | S | list all combinations in preference order
CRD-04 | MUST | S | each interface states transport and URL truthfully
CRD-05 | MAY | S | reuse a URL for several transports
CRD-06 | MUST | C | choose the first supported interface
CRD-07 | MUST | C | prefer earlier entries
CRD-08 | MUST | C | use that entry's URL
CRD-09 | MUST | C | send exactly that entry's tenant in every request; omit if none
CRD-10 | implied | S | HTTPS absolute URLs in production; gRPC host:port
CRD-11 | MUST | S | the well-known resource returns an AgentCard
CRD-12 | SHOULD NOT | S | put credentials/internal details in the card
CRD-13 | SHOULD | S | serve it over HTTPS
CRD-14 | SHOULD | S | separate card per agent on a shared domain
CRD-15 | MAY | S | expose public capability information in it
CRD-16 | MUST | S | OAuth endpoint fields are real URLs, TLS per OAuth2; scope maps may be empty; API-key location is query, header or cookie
EXT-01 | MUST | C | authenticate with a declared scheme
EXT-02 | MAY | S | vary content by caller
EXT-03 | SHOULD | C | replace the cached public card for the session
EXT-04 | MUST | S | require authentication
EXT-05 | MUST | S | use a scheme declared publicly
EXT-06 | SHOULD | S | set caching headers on it
EXT-07 | MAY | S | extra skills / limits / org config in it
EXT-08 | SHOULD | S | document what each auth level sees
EXT-09 | SHOULD NOT | S | include exploitable secrets
EXT-10 | MUST | S | check permission before privileged content
EXT-11 | SHOULD | S | version it, honour invalidation
EXT-12 | MUST | S | enforce access control (IANA text)
SIG-01 | MAY | S | sign the card with JWS
SIG-02 | MUST | S | canonicalise with JCS first
SIG-03 | MUST | B | respect proto presence
SIG-04 | MUST | B | omit unset optional fields
SIG-05 | MUST | B | include optional fields set to defaults
SIG-06 | MUST | B | always include REQUIRED fields
SIG-07 | MUST | B | drop other default values
SIG-08 | MUST | B | obey RFC 8785 (order, numbers, whitespace)
SIG-09 | MUST | B | leave out `signatures`
SIG-10 | MUST | S | protected header has alg and kid
SIG-11 | SHOULD | S | typ = JOSE
SIG-12 | MAY | S | jku
SIG-13 | MUST | C | verify by the six listed steps
SIG-14 | SHOULD | C | verify at least one signature before trusting; verify when present
SIG-15 | SHOULD | C | fetch keys over HTTPS
SIG-16 | MAY | C | keep a key store
SIG-17 | MUST NOT | C | use expired/revoked keys
SIG-18 | MAY | S | attach several signatures
CCH-01 | SHOULD | B | use HTTP caching
CCH-02 | SHOULD | S | Cache-Control max-age
CCH-03 | SHOULD | S | ETag from version or hash
CCH-04 | MAY | S | Last-Modified
CCH-05 | SHOULD | C | honour RFC 9111
CCH-06 | SHOULD | C | conditional requests on expiry
CCH-07 | MAY | C | own default lifetime without headers

# 6.15 JSON-RPC binding
RPC-01 | implied | B | JSON-RPC 2.0 over HTTP(S), application/json, PascalCase methods, SSE
RPC-02 | MUST | B | service parameters as HTTP headers
RPC-03 | SHOULD | C | comma-join multiple values
RPC-04 | MUST | C | standard request object
RPC-05 | implied | S | A2A codes −32001…−32099, standard codes otherwise
RPC-06 | MUST | S | `@type` in each data object
RPC-07 | SHOULD | S | ErrorInfo / BadRequest in data (was MUST in 1.0.0)
RPC-08 | MAY | S | more detail objects

# 6.16 gRPC binding
GRP-01 | implied | B | HTTP/2 + TLS, normative proto, A2AService
GRP-02 | MUST | B | service parameters in metadata
GRP-03 | MUST | B | names are metadata keys
GRP-04 | SHOULD | C | comma-join values
GRP-05 | MUST | S | extract them
GRP-06 | SHOULD | S | validate required ones (A2A-Version)
GRP-07 | MUST | S | ErrorInfo with reason and domain in status details for A2A errors

# 6.17 HTTP+JSON binding
RST-01 | SHOULD | B | application/a2a+json
RST-02 | MUST | B | service parameters as HTTP headers
RST-03 | SHOULD | C | comma-join values
RST-04 | MUST | C | GET/DELETE arguments in path or query
RST-05 | MUST | B | camelCase query names
RST-06 | MAY | C | repeated keys or comma list for repeated fields
RST-07 | MUST | B | nested arguments → POST body
RST-08 | MUST | C | percent-encode
RST-09 | MUST | S | `@type` in details
RST-10 | MUST | S | ErrorInfo (`@type`, reason, domain) for A2A errors
RST-11 | SHOULD | S | BadRequest etc. where fitting
RST-12 | MAY | S | extra detail objects

# 6.18 Custom bindings
CUS-01 | MAY | CB | define one
CUS-02 | MUST | CB | obey all of §5
CUS-03 | MUST | CB | implement all operations, keep model and semantics, document fully
CUS-04 | MUST | CB | map messages, timestamps, binary, enums
CUS-05 | MUST | CB | document service parameters: mechanism, limits, reserved names, fallback
CUS-06 | MUST | CB | map all errors, keep details, native codes, document format
CUS-07 | SHOULD | CB | give a mapping table
CUS-08 | implied | CB | streaming: mechanism, order, reconnection, termination
CUS-09 | MUST | CB | say in the card if streaming is unsupported
CUS-10 | MUST | CB | support declared auth, document carriage, challenges, stay secure
CUS-11 | MUST | CB | be declared in the card with URI + URL
CUS-12 | SHOULD | CB | URI identifier
CUS-13 | MUST | CB | new URI on breaking change
CUS-14 | SHOULD | CB | interop tests, document differences, examples, edge cases
CUS-15 | MUST/SHOULD | CB | address security in the spec; follow the standard principles
CUS-16 | SHOULD/MUST | X | SDKs should implement official bindings, off by default

# 6.19 Security considerations
SEC-01 | MUST | S | scope everything to the caller's rights
SEC-02 | MUST | S | authorisation check on every operation
SEC-03 | MUST | S | scope results, also with no filter given
SEC-04 | MAY | S | any authorisation model
SEC-05 | MUST | S | ListTasks visible only; GetTask verifies; cancel/subscribe/push verify
SEC-06 | MUST | S | check before queries that could leak existence
SEC-07 | SHOULD | S | document the model
SEC-08 | SHOULD | S | HSTS
SEC-09 | SHOULD | B | disable SSLv3/TLS 1.0/1.1
SEC-10 | MUST | S | validate all inputs
SEC-11 | SHOULD | S | limits on message/file size and complexity
SEC-12 | SHOULD | S | sanitise/validate file types
SEC-13 | MUST | B | treat credentials as secrets
SEC-14 | SHOULD | B | rotate; encrypted channels only
SEC-15 | SHOULD | S | revocation mechanism; log auth failures; brute-force limits
SEC-16 | SHOULD | S | log security events; monitor patterns; audit trails
SEC-17 | MUST NOT | S | sensitive data in logs unless needed and protected
SEC-18 | SHOULD | S | rate limiting with proper errors
SEC-19 | MAY | S | different limits per operation/tier
SEC-20 | MUST | S | obey data-protection law
SEC-21 | SHOULD | S | deletion on request, retention policy, minimal logging
IAN-01 | MUST | B | UTF-8 JSON
IAN-02 | MUST | B | validate content against the schema before processing
IAN-03 | MUST | B | sanitise user content against injection
IAN-04 | MUST | B | validate file references against SSRF (`Part.url`!)
IAN-05 | MUST | S | enforce §7 auth
IAN-06 | MUST | B | protect sensitive history/artifacts
ENT-01 | must | C | credentials only in standard headers
ENT-02 | should | S | 401 + WWW-Authenticate, 403
ENT-03 | must | S | authorise before touching back-end tools; least privilege
ENT-04 | should | B | OpenTelemetry / W3C trace context; metrics; correlated logs; audit

# 6.20 Migration and maintenance
MIG-01 | SHOULD | C | prefer new names, dual-decode, warn on legacy objects
MIG-02 | MAY | S | accept legacy and new requests; emit new only
MIG-03 | implied | S | never emit `kind` in 1.0
MIG-04 | SHOULD | X | deprecated aliases; not removed before the next major
GOV-01 | MUST | D | migration guidance; keep anchors; legacy names resolvable; manual edits until automation
GOV-02 | MAY | D | publish the generated JSON schema

# 6.21 Additional duties when claiming 0.3 (v0.3.0 spec §3, §5.6, §6.11, §8, §11)
V03-01 | MUST | S | at least one of JSON-RPC, gRPC, HTTP+JSON; HTTP(S) only
V03-02 | MUST | S | implement message/send, tasks/get, tasks/cancel; the rest per capability
V03-03 | MUST | S | `url` supports `preferredTransport`; preferredTransport must be present (type: optional, default JSONRPC)
V03-04 | SHOULD | S | `additionalInterfaces` complete, including the main one
V03-05 | MUST NOT | S | same URL declared with conflicting transports
V03-06 | MUST | B | JSON-RPC: `jsonrpc` exactly "2.0"; response id equals request id; id null on parse/invalid request; result xor error; Content-Type application/json
V03-07 | SHOULD | S | codes −32001…−32007
V03-08 | SHOULD | S | AUTH_REQUIRED for secondary credentials with details in the status message
V03-09 | MUST | C | construct message/send and tasks/get, handle all A2A codes, one auth method, parse cards, select transport by the rules
V03-10 | MUST | S | protect cards with sensitive content
"""

# Rows without a test, by the reason. What a later issue brings moves out of here with its tests.
DEFERRED = {
    "a receiver's rate limits and TLS are its server's; tests come with the security work": """
        PSH-12 PSH-13""",
    "TLS is the operator's, by uvicorn or a proxy; tests come with the security work": """
        AUT-01 AUT-02 AUT-03 CRD-13 PSH-14 SEC-08 SEC-09""",
    "credentials that come out of band, and their scope, come with the security work": """
        ITA-04 ITA-06 ITA-08 ITA-10 ITA-11 ITA-12 ITA-13 ITA-14 ITA-15""",
    "keeping, rotating and revoking secrets comes with the security work": """
        PSH-15 PSH-16 PSH-17 SEC-14 SEC-15""",
    "declared security schemes are enforced with the security work": """
        EXT-05 CRD-16""",
    "rate limits come with the security work": """
        SEC-18""",
    "audit, metrics and traces come with telemetry": """
        SEC-16 ENT-04""",
    "retention and deletion come with operations": """
        SEC-21 EXT-11""",
    "a duty of the documentation": """
        CTX-11 EXT-08 SEC-07""",
}

INAPPLICABLE = {
    "for the maintainers of the specification": """
        GOV-01 GOV-02""",
    "there is no custom binding here": """
        PAR-05 CUS-01 CUS-02 CUS-03 CUS-04 CUS-05 CUS-06 CUS-07 CUS-08 CUS-09 CUS-10 CUS-11 CUS-12 CUS-13 CUS-14
        CUS-15 CUS-16""",
    "a liberty that is not taken": """
        STR-18 CAN-04 PAR-03 PCF-07 CTX-10 VER-04 RST-06 AUT-07 SEC-19""",
    "for the author of the agent, who alone knows what its data mean": """
        CTX-23 CTX-24 EXT-09 IAN-03""",
    "law binds the operator": """
        SEC-20""",
    "the model is written by hand and pinned by the corpus instead": """
        JSN-15""",
}
