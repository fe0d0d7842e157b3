/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: what fetch.c (on the loop) and fetch_work.c (on workers) share. */
#pragma once

#include <stdatomic.h>

#include "oci/registry/token.h"
#include "steps/fetch.h"
#include "steps/fetch_record.h"

enum { HF_FETCH_HEAD = 6, HF_FETCH_SLACK = 64 << 10 };
enum fetch_work_kind { WORK_PREPARE, WORK_ACCESS, WORK_WRITE, WORK_COPY, WORK_FINAL };

struct fetch_work {
    struct hf_job job;
    enum fetch_work_kind kind;
    /* in */
    const char *bytes;
    size_t n;
    uint64_t at, reserve;
    bool first, truncate, sync, drop;
    struct hf_fetch_record record;
    /* out */
    int r;
    struct hf_failure failure;
    bool already; /* the new file or the complete download exists */
    uint64_t copied;
};

struct fetch_result {
    int r;
    struct hf_failure failure;
    uint64_t retry_after_ns;
    bool hopeless;
};

/* One URL after the other, of a download over the network. Server: of the URL in progress. */
struct fetch_try {
    struct hf_tries tries;
    size_t at; /* the one in progress */
    struct hf_access_ticket ticket;
    bool answered;
    bool served;       /* it has sent bytes */
    bool from_zero;    /* ask for the whole artifact */
    bool renew;        /* the next try is this one again */
    unsigned renewals; /* so far */
    bool denied;       /* the answer in progress is a registry's 401, which asks for a token */
    char *token;       /* the line with it; NULL: none yet */
    struct hf_oci_token_ask ask;
    struct hf_buf answer;    /* of the service for tokens */
    char mirror[96];         /* origin of the last mirror that failed, for messages; "" if none did */
    struct fetch_result own; /* how the URL itself failed, while others are tried; r is 0 if it did not */
};

struct hf_fetch {
    struct hf_fetch_params p;
    struct fetch_work work;
    bool busy, freed;
    void (*gone)(void *arg);
    void *gone_arg;
    atomic_bool cancel;
    struct hf_http_call *call;
    struct hf_timer *timer; /* minimum speed; also delivers a result from the loop's next turn */
    bool delivering;
    int fd;  /* the download */
    struct { /* fetch.now, the progress as a kill leaves it */
        int fd;
        char boot[40];
        bool noted;
    } now;
    struct hf_fetch_record record; /* as on disk; each sync moves the offset */
    bool unsaved;                  /* the record on disk may be behind record.offset */
    unsigned char head[HF_FETCH_HEAD];
    size_t head_n;
    char *fill, *writing; /* 2 * HF_FETCH_BUFFER each, NULL until bytes need it */
    size_t fill_n;
    uint64_t fill_at;  /* offset of fill[0] in the file */
    uint64_t expected; /* 0: unknown */
    uint64_t synced_at_ns, written_at_ns, minute_bytes;
    bool restart, paused, ended, drop;
    struct fetch_result result;
    struct fetch_try try;
    char oddity[120]; /* what may explain a wrong length, for messages; "" if there is nothing */
};

void hf_fetch_work_do(struct hf_job *job);
void hf_fetch_work_close(struct hf_fetch *fetch);
/* It begins as a .zst or .xz file does. */
bool hf_fetch_work_is_packed(const unsigned char *head, size_t n);
