/* telemetry/source/ingest_parse.h - parses the body of POST /ingest into events, one after the other (INGEST.md). Pure.
 *
 *     r = hf_ingest_parse_begin(&parser, &request, &fault);
 *     while (r >= 0 && (r = hf_ingest_parse_next(&parser, &event, &fault)) > 0)
 *         ...
 *
 * The source of every event begins with "http", whatever the sender gives: "http" alone, or "http:" before the given
 * text, unless the text begins so already. No other source of the agent has a name that begins so, so no sender can
 * claim to be the journal, a file or the agent itself.
 *
 * Allocates nothing for payloads whose texts have no escapes. Threads: one at a time for each parser. */
#pragma once

#include "codec/scan.h"
#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum {
    HF_INGEST_MAX_ITEMS = 65536,
    HF_INGEST_MAX_MEMBERS = 40,
    HF_INGEST_MAX_TEXT = 256,   /* limit in bytes of a source, a key, a boundary, or the name of an attribute */
    HF_INGEST_MAX_VALUE = 4096, /* limit in bytes of an attribute's value */
};

enum { HF_INGEST_NAMED = 48, HF_INGEST_UNIT = 64 };

/* The reason for a refusal, as the answer reports it. `what` and `member` are static texts. `named` is the only text of
 * a request that an answer repeats. It is the name of an unknown member, or for status 415 the content type; '?'
 * replaces every character except letters, digits and "_.-/+". */
struct hf_ingest_fault {
    int status; /* HTTP status: 400, 413, 415 or 422 */
    const char *what;
    const char *member;          /* member at fault; NULL: no particular member */
    char named[HF_INGEST_NAMED]; /* name of an unknown member, which replaces `member`; "": none */
    size_t item;                 /* index of the item at fault, from 0 */
    size_t line;                 /* number of the item or line at fault, from 1 (0 means unknown) */
    size_t offset;               /* offset of the fault in the unpacked body */
};

enum hf_ingest_form { HF_INGEST_ARRAY, HF_INGEST_LINES };

struct hf_ingest_params {
    struct hf_view body; /* the unpacked body; borrowed as long as the parser lives */
    struct hf_view content_type;
    struct hf_view idempotency_key;
    struct hf_view checksum; /* header X-Payload-Checksum */
    uint64_t now_unix_ns;    /* time of payloads without a timestamp */
    /* user id in decimal digits and systemd unit of the sender, as the kernel reports them; "": unknown; every event of
     * the body gets them */
    char peer_uid[12];
    char peer_unit[HF_INGEST_UNIT];
    bool trusted; /* true in the second pass over a body, so that the parser does not verify checksums again */
    /* where the parser starts: the number of items parsed before, and the value of parser.scan.at after the last of
     * them */
    size_t from_item, from_offset;
};

struct hf_ingest_parser {
    struct hf_ingest_params params;
    enum hf_ingest_form form;
    struct hf_scan scan;
    size_t item;
    bool after_item; /* ndjson: the parser next expects the end of the line */
    struct hf_buf scratch;
    char hex[HF_SHA256_HEX];
    char made_id[HF_EVENT_MAX_ID + 1];
    char source[sizeof("http:") + HF_INGEST_MAX_TEXT];
};

/* Starts a parser. Returns 0, or -EBADMSG and sets *ret_fault. Call hf_ingest_parse_end() in both cases. */
HF_MUST_USE int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                                      struct hf_ingest_fault *ret_fault);
/* Returns 1 and sets *ret_event to the next event, which is valid until the next call. Returns 0 at the end of the
 * body; -EBADMSG, and sets *ret_fault; or -ENOMEM. */
HF_MUST_USE int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event,
                                     struct hf_ingest_fault *ret_fault);
void hf_ingest_parse_end(struct hf_ingest_parser *parser);
