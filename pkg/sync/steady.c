#include "sync/steady.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 8 };

struct said {
    struct hf_update_status status; /* its strings are in `texts` */
    char *texts[TEXTS];
    uint64_t since_ns;
    uint64_t trying_ns; /* a new try runs since then; 0 none */
};

static void said_free(void *value)
{
    struct said *said = value;

    if (said == NULL)
        return;
    for (size_t i = 0; i < HF_LEN(said->texts); i++)
        free(said->texts[i]);
    free(said);
}

void hf_steady_init(struct hf_steady *steady)
{
    *steady = (struct hf_steady){.said = {.free_value = said_free}};
}

void hf_steady_done(struct hf_steady *steady)
{
    hf_strmap_done(&steady->said);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static struct said *copy(const struct hf_update_status *status, uint64_t now_ns)
{
    struct said *said = calloc(1, sizeof(*said));
    bool complete = true;

    if (said == NULL)
        return NULL;
    said->status = *status;
    said->since_ns = now_ns;
    const char **strings[TEXTS] = {&said->status.name,    &said->status.version,  &said->status.digest,
                                   &said->status.from,    &said->status.method,   &said->status.reason,
                                   &said->status.message, &said->status.installed};
    for (size_t i = 0; i < HF_LEN(strings); i++) {
        said->texts[i] = strdup(*strings[i] == NULL ? "" : *strings[i]);
        complete = complete && said->texts[i] != NULL;
        *strings[i] = said->texts[i];
    }
    if (complete)
        return said;
    said_free(said);
    return NULL;
}

/* Did it fail before, and is it only being tried again? */
static bool is_retry(struct said *said, const struct hf_update_status *status, uint64_t now_ns)
{
    bool retry = said->status.phase == HF_PHASE_WAITING && said->status.attempts > 0 &&
                 (status->phase == HF_PHASE_FETCHING || status->phase == HF_PHASE_WAITING) &&
                 status->attempts >= said->status.attempts;

    if (!retry || status->phase == HF_PHASE_WAITING)
        said->trying_ns = 0;
    else if (said->trying_ns == 0)
        said->trying_ns = now_ns;
    return retry && (status->phase == HF_PHASE_FETCHING ? now_ns - said->trying_ns < HF_STEADY_TRY_NS
                                                        : same(status->reason, said->status.reason));
}

static bool nothing_new(struct said *said, const struct hf_update_status *status, uint64_t now_ns)
{
    if (!same(said->status.digest, status->digest))
        return false;
    bool still = said->status.phase == status->phase && same(said->status.reason, status->reason);
    return is_retry(said, status, now_ns) || still;
}

int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns, uint64_t now_ns,
                  struct hf_update_status *ret_said, uint64_t *wait_ns)
{
    struct said *said = hf_strmap_get(&steady->said, status->name);

    if (said == NULL || now_ns - said->since_ns >= refresh_ns || !nothing_new(said, status, now_ns)) {
        struct said *fresh = copy(status, now_ns);
        if (fresh == NULL || hf_strmap_put(&steady->said, status->name, fresh) < 0) {
            said_free(fresh);
            *ret_said = *status;
            return -ENOMEM;
        }
        said = fresh;
    }
    if (said->trying_ns != 0)
        *wait_ns = HF_MIN(*wait_ns, HF_STEADY_TRY_NS - HF_MIN(now_ns - said->trying_ns, HF_STEADY_TRY_NS));
    *ret_said = said->status;
    return 0;
}
