/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/ingest_parse.h - parses the body of POST /ingest into events, one after the other
 * (telemetry/INGEST.md). Pure.
 *
 *     r = hf_ingest_parse_begin(&parser, &request, &fault);
 *     while (r >= 0 && (r = hf_ingest_parse_next(&parser, &event, &fault)) > 0)
 *         ...
 *
 * The field `source` of every event is "http" or begins with "http:". If the sender gives a source without this
 * beginning, the parser puts "http:" before the given source; if the sender gives no source, the source is "http". The
 * names of all other sources of the agent begin differently, so no sender can claim to be the journal, a file or the
 * agent itself.
 *
 * The parser allocates no memory for payloads whose texts have no escapes. Threads: any, but only one at a time for one
 * parser. */
#pragma once

#include "codec/scan.h"
#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum {
    HF_INGEST_MAX_ITEMS = 65536,
    HF_INGEST_MAX_MEMBERS = 40,
    HF_INGEST_MAX_TEXT = 256,   /* maximum size in bytes of a source, a key, a boundary, or the name of an attribute */
    HF_INGEST_MAX_VALUE = 4096, /* maximum size in bytes of an attribute's value */
};

enum { HF_INGEST_NAMED = 48, HF_INGEST_UNIT = 64 };

/* The reason for a refusal, as the answer reports it. `what` and `member` are static texts. Of the texts in a request,
 * an answer repeats only `named`: the name of an unknown member, or for status 415 the content type. `named` may be
 * truncated, and '?' replaces every character of it except letters, digits and "_.-/+". */
struct hf_ingest_fault {
    int status;         /* HTTP status: 400, 413, 415 or 422 of the parser; ingest.c also sets 503 (out of memory) */
    const char *what;   /* text that says what is wrong */
    const char *member; /* name of the member at fault; NULL if no known member is at fault */
    /* name of an unknown member, or for status 415 the content type; the answer then shows it instead of `member`; ""
     * if there is neither */
    char named[HF_INGEST_NAMED];
    size_t item;   /* index of the item at fault, from 0 */
    size_t line;   /* line number of the fault in the unpacked body, counted from 1 (0 means unknown) */
    size_t offset; /* offset of the fault in the unpacked body, in bytes */
};

enum hf_ingest_form { HF_INGEST_ARRAY, HF_INGEST_LINES };

struct hf_ingest_params {
    struct hf_view body; /* the unpacked body; borrowed as long as the parser lives */
    struct hf_view content_type;
    struct hf_view idempotency_key;
    struct hf_view checksum; /* value of the header X-Payload-Checksum; empty if the request has none */
    uint64_t now_unix_ns;    /* time for payloads that have no timestamp */
    /* user id in decimal digits and systemd unit of the sender, as the kernel reports them; "" if unknown. Every event
     * of the body gets both values. */
    char peer_uid[12];
    char peer_unit[HF_INGEST_UNIT];
    bool trusted; /* true in the second pass over a body; the parser then does not verify checksums again */
    /* position at which the parser starts: from_item is the number of items before it, and from_offset is the value
     * that parser.scan.at had after the last of these items; both are 0 for the start of the body */
    size_t from_item, from_offset;
};

struct hf_ingest_parser {
    struct hf_ingest_params params;
    enum hf_ingest_form form;
    struct hf_scan scan;
    size_t item;
    bool after_item; /* for ndjson, true if the parser next expects the end of the line */
    struct hf_buf scratch;
    char hex[HF_SHA256_HEX];
    char made_id[HF_EVENT_MAX_ID + 1];
    char source[sizeof("http:") + HF_INGEST_MAX_TEXT];
};

/* Reads a number since 1970 in s, ms, us or ns, by its size. Returns false if it is no time between 1970 and 2261. */
bool hf_ingest_parse_number_time(struct hf_view text, uint64_t *ret_unix_ns);

/* Starts a parser. Returns 0, or returns -EBADMSG and sets *ret_fault. Call hf_ingest_parse_end() in both cases. */
HF_MUST_USE int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                                      struct hf_ingest_fault *ret_fault);
/* Returns 1 and sets *ret_event to the next event, which is valid until the next call. Returns 0 at the end of the
 * body. If the item is bad, returns -EBADMSG and sets *ret_fault. Returns -ENOMEM if memory runs out. */
HF_MUST_USE int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event,
                                     struct hf_ingest_fault *ret_fault);
void hf_ingest_parse_end(struct hf_ingest_parser *parser);
