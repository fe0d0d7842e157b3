/* SPDX-License-Identifier: Apache-2.0 */
/* client.pem is the certificate in use and its key, written as one file, so that a power cut leaves either the old
 * or the new pair. pending.key is the key for which the agent requests a certificate. The subject of a certificate
 * is O=holdfast:agents, O=holdfast:node-uid:<uid of the Node>, CN=holdfast:agent:<node>. The agent also uses one
 * without the uid, and asks for one with the uid when it starts. */
#include "agent/identity/client_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/identity/certificate_folder.h"
#include "base/asprintf.h"
#include "base/backoff.h"
#include "base/encoding/base64.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "kube/call.h"
#include "loop/tpm_key.h"
#include "os/dir.h"
#include "os/file.h"
#include "sync/renewal.h"
#include "sync/way.h"
#include "trust/certificate.h"

#define HF_CLIENT_CERTIFICATE_LIFETIME_NS (30ull * 24 * 3600 * HF_NS_PER_S) /* lifetime_ns 0 */

enum { MAX_FILE = 64 << 10, NAME_MAX_BYTES = 253 };

#define API_VERSION "certificates.k8s.io/v1"
#define PLURAL "certificatesigningrequests"
#define SIGNER "kubernetes.io/kube-apiserver-client"
#define GROUP "holdfast:agents"
#define MIN_LIFETIME_NS (600 * HF_NS_PER_S) /* the shortest one that an API server accepts */
#define LEAST_REST_NS (60 * HF_NS_PER_S)    /* a shorter certificate would make the agent write its disk all the time */
#define TRY_AGAIN_NS (300 * HF_NS_PER_S)
#define PATIENCE_NS (600 * HF_NS_PER_S) /* nobody answers the request: the condition says so after this time */

/* A certificate with its key, and what is known about it. */
struct pair {
    struct hf_buf certificate, key; /* PEM; empty if there is none */
    struct hf_certificate_info info;
    uint64_t renew_unix_ns;
};

struct hf_client_certificate {
    struct hf_client_certificate_params p;
    char *client_path, *pending_path, *common_name;
    char asked_uid[HF_CERTIFICATE_UID]; /* uid of this node's Node when the agent asked last; "" before */
    char seen_uid[HF_CERTIFICATE_UID];  /* uid of this node's Node as the agent follows it; "" before */
    bool node_changed;                  /* seen_uid has changed, and nobody has compared it with the pair */
    bool lost;                          /* the server refused the pair, and no request has followed yet */
    uint64_t lost_ns; /* monotonic time at which a pair was last given up on the server's word; 0: never */
    struct hf_timer *timer;
    struct pair pair;
    bool in_use;       /* the client of the API server uses the pair */
    bool clock_only;   /* the pair is set aside because it has expired by this node's clock */
    uint64_t aside_ns; /* monotonic time of the last call of p.use() */
    enum hf_renewal_state state;
    struct hf_buf pending_key; /* PEM; empty if there is none */
    char name[NAME_MAX_BYTES + 1];
    struct hf_buf issued; /* PEM of the certificate in the answer, for the action SAVE */
    struct hf_kube_pending *call;
    enum hf_way way;                      /* of the last request */
    unsigned excluded;                    /* ways that were refused since the last pause */
    enum hf_way came_by;                  /* way of the certificate in use; HF_WAY_NONE: of an earlier life */
    char came_as[NAME_MAX_BYTES + 1];     /* and its request, while `name` may be the next one */
    struct hf_backoff poll, brief, pause; /* one for each growing delay of sync/renewal.h */
    uint64_t retry_after_ns;              /* Retry-After of the last failure, for the next delay */
    bool meta_logged;
    uint64_t asked_ns;                           /* monotonic time at which the agent began to ask with this key */
    enum hf_renewal_trouble trouble;             /* end of the last request, until a certificate is stored */
    char detail[HF_CLIENT_CERTIFICATE_TEXT / 2]; /* for `trouble` */
    enum hf_renewal_trouble told;                /* as certificate->problem says */
    char problem[HF_CLIENT_CERTIFICATE_TEXT];    /* message of the condition; "" if there is none */
    struct hf_metric *expiry;
    struct hf_metric_family *requests;
};

static void event(struct hf_client_certificate *certificate, enum hf_renewal_event what);

static uint64_t unix_now(const struct hf_client_certificate *certificate)
{
    return hf_unix_ns(certificate->p.world.clock);
}

static void log_failure(const struct hf_client_certificate *certificate, const char *name, const struct hf_err *err)
{
    hf_log_err(certificate->p.world.log, HF_LOG_WARNING, name, "dir", certificate->p.dir, err);
}

/* ---- what the status says ---------------------------------------------------------------------------------------- */

static bool has_pair(const struct hf_client_certificate *certificate)
{
    return certificate->pair.key.n > 0;
}

static bool is_expired(const struct hf_client_certificate *certificate)
{
    return unix_now(certificate) >= certificate->pair.info.not_after_unix_ns;
}

static enum hf_renewal_trouble find_trouble(const struct hf_client_certificate *certificate)
{
    bool asking = certificate->state == HF_RENEWAL_REQUEST || certificate->state == HF_RENEWAL_ISSUE;

    if (certificate->trouble != HF_RENEWAL_NO_TROUBLE)
        return certificate->trouble;
    if (asking && hf_mono_ns(certificate->p.world.clock) - certificate->asked_ns >= PATIENCE_NS)
        return HF_RENEWAL_NOT_ISSUED;
    return has_pair(certificate) && is_expired(certificate) ? HF_RENEWAL_EXPIRED : HF_RENEWAL_NO_TROUBLE;
}

static void format_problem(const struct hf_client_certificate *certificate, enum hf_renewal_trouble trouble,
                           char text[HF_CLIENT_CERTIFICATE_TEXT])
{
    char end[HF_TIME_TEXT], now[80] = "the node has no client certificate";

    if (has_pair(certificate))
        (void)snprintf(now, sizeof(now), "the client certificate %s %s",
                       is_expired(certificate) ? "expired at" : "is valid until",
                       hf_format_time(certificate->pair.info.not_after_unix_ns, end));
    (void)snprintf(text, HF_CLIENT_CERTIFICATE_TEXT, "%s%s%s%s%s: %s", now,
                   certificate->name[0] != '\0' ? ", request " : "", certificate->name,
                   certificate->detail[0] != '\0' ? ": " : "", certificate->detail, hf_renewal_trouble_advice(trouble));
}

/* A renewal is nothing to tell of; a certificate that came by another credential is. */
static void format_way(const struct hf_client_certificate *certificate, char text[HF_CLIENT_CERTIFICATE_TEXT])
{
    if (certificate->in_use && certificate->came_by > HF_WAY_CERTIFICATE)
        (void)snprintf(text, HF_CLIENT_CERTIFICATE_TEXT, "the node got its client certificate by %s, request %s",
                       hf_way_text(certificate->came_by), certificate->came_as);
}

/* Tells the owner if the condition has changed. */
static void look_at_trouble(struct hf_client_certificate *certificate)
{
    enum hf_renewal_trouble trouble = find_trouble(certificate);
    char text[HF_CLIENT_CERTIFICATE_TEXT] = "";

    if (trouble != HF_RENEWAL_NO_TROUBLE)
        format_problem(certificate, trouble, text);
    else
        format_way(certificate, text);
    if (trouble == certificate->told && strcmp(text, certificate->problem) == 0)
        return;
    certificate->told = trouble;
    memcpy(certificate->problem, text, sizeof(text));
    if (certificate->p.changed != NULL)
        certificate->p.changed(certificate->p.arg);
}

/* Keeps how a request ended. The texts come from a server, and may end within a character. */
static void note(struct hf_client_certificate *certificate, enum hf_renewal_trouble trouble, const char *reason,
                 const char *message)
{
    size_t r = hf_utf8_prefix(reason, HF_MIN(strlen(reason), (size_t)180));
    size_t m = hf_utf8_prefix(message, HF_MIN(strlen(message), (size_t)180));

    certificate->trouble = trouble;
    (void)snprintf(certificate->detail, sizeof(certificate->detail), "%.*s%s%.*s", (int)r, reason,
                   r > 0 && m > 0 ? ": " : "", (int)m, message);
}

const char *hf_client_certificate_problem(const struct hf_client_certificate *certificate, bool *ret_valid,
                                          const char **ret_reason)
{
    if (certificate == NULL || certificate->problem[0] == '\0')
        return NULL;
    *ret_valid = certificate->told == HF_RENEWAL_NO_TROUBLE;
    *ret_reason = *ret_valid ? hf_way_reason(certificate->came_by) : hf_renewal_trouble_reason(certificate->told);
    return certificate->problem;
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

static void pair_done(struct pair *pair)
{
    hf_buf_wipe(&pair->key);
    hf_buf_wipe(&pair->certificate);
}

/* The part of the key's id that chooses the date of the renewal. */
static uint32_t jitter_of(const char *key_pem)
{
    char hex[HF_SHA256_HEX] = "0", part[9];

    (void)!hf_certificate_key_id(key_pem, hex, NULL);
    (void)snprintf(part, sizeof(part), "%.8s", hex);
    return (uint32_t)strtoul(part, NULL, 16);
}

/* The time of the file is the time at which the certificate arrived. */
static uint64_t received_at(const struct hf_client_certificate *certificate)
{
    const struct hf_fs_ops *fs = certificate->p.world.fs;
    struct stat st;

    if (fs->fstatat(fs->ctx, AT_FDCWD, certificate->client_path, &st, 0) < 0 || st.st_mtim.tv_sec < 0)
        return 0;
    return (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S;
}

/* Takes over the parts of `fresh`. */
static void keep_pair(struct hf_client_certificate *certificate, struct pair *fresh, uint64_t received_unix_ns)
{
    pair_done(&certificate->pair);
    certificate->pair = *fresh;
    *fresh = (struct pair){.certificate = HF_BUF_INIT(MAX_FILE), .key = HF_BUF_INIT(MAX_FILE)};
    const struct hf_certificate_info *info = &certificate->pair.info;
    certificate->pair.renew_unix_ns = hf_renewal_date(info->not_before_unix_ns, info->not_after_unix_ns,
                                                      received_unix_ns, jitter_of(hf_buf_str(&certificate->pair.key)));
    hf_metric_set(certificate->expiry, (double)info->not_after_unix_ns / (double)HF_NS_PER_S);
}

/* -ENOENT: there is none. */
static int load_pair(struct hf_client_certificate *certificate, struct hf_err *err)
{
    struct hf_buf text = HF_BUF_INIT(MAX_FILE);
    struct pair fresh = {.certificate = HF_BUF_INIT(MAX_FILE), .key = HF_BUF_INIT(MAX_FILE)};
    struct hf_certificate_owner owner = {.common_name = certificate->common_name, .organization = GROUP};
    int r =
        hf_certificate_folder_read(certificate->p.world.fs, certificate->p.dir, certificate->client_path, &text, err);

    if (r == 0)
        r = hf_certificate_folder_split(&text, &owner, &fresh.certificate, &fresh.key, &fresh.info, err);
    if (r == 0)
        keep_pair(certificate, &fresh, received_at(certificate));
    hf_buf_wipe(&text);
    pair_done(&fresh);
    return r;
}

static void drop_pending_key(struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;

    hf_buf_wipe(&certificate->pending_key);
    if (hf_file_forget(certificate->p.world.fs, certificate->pending_path, &err) < 0)
        log_failure(certificate, "certificate.not_removed", &err);
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

static void use(struct hf_client_certificate *certificate, bool pair)
{
    struct pair *own = &certificate->pair;
    struct hf_err err = HF_ERR_INIT;
    int r = certificate->p.use(certificate->p.arg, pair ? hf_buf_str(&own->certificate) : NULL,
                               pair ? hf_buf_str(&own->key) : NULL, &err);

    if (r < 0) {
        log_failure(certificate, "certificate.not_used", &err);
        return;
    }
    certificate->in_use = pair;
    certificate->aside_ns = hf_mono_ns(certificate->p.world.clock);
    certificate->clock_only = certificate->clock_only && !pair;
    certificate->lost = certificate->lost && !pair;
    hf_log(certificate->p.world.log, HF_LOG_INFO, pair ? "certificate.used" : "certificate.set_aside",
           HF_S("dir", certificate->p.dir));
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

/* A key of the other kind than the node's owner wants now, or that this TPM does not have, is replaced. */
static int check_kind(const struct hf_client_certificate *certificate, const char *key_pem, struct hf_err *err)
{
    if (hf_tpm_key_is(key_pem) != certificate->p.key_in_tpm)
        return hf_err_set(err, EBADMSG,
                          certificate->p.key_in_tpm ? "the key is in a file, and --client-key is tpm"
                                                    : "the key is in the TPM, and --client-key is file");
    return certificate->p.key_in_tpm ? hf_tpm_key_check(key_pem, err) : 0;
}

static int read_pending_key(struct hf_client_certificate *certificate, struct hf_err *err)
{
    char hex[HF_SHA256_HEX];
    int r = hf_certificate_folder_read(certificate->p.world.fs, certificate->p.dir, certificate->pending_path,
                                       &certificate->pending_key, err);

    if (r == 0)
        r = hf_certificate_key_id(hf_buf_str(&certificate->pending_key), hex, err);
    if (r == 0)
        r = check_kind(certificate, hf_buf_str(&certificate->pending_key), err);
    if (r < 0)
        hf_buf_wipe(&certificate->pending_key);
    return r;
}

static int make_key(struct hf_client_certificate *certificate, struct hf_err *err)
{
    struct hf_buf *key = &certificate->pending_key;
    char hex[HF_SHA256_HEX];
    int r = hf_certificate_folder_check(certificate->p.world.fs, certificate->p.dir, err);

    if (r < 0)
        return r;
    if (key->n == 0 && read_pending_key(certificate, NULL) < 0) {
        r = certificate->p.key_in_tpm ? hf_tpm_key_make(key, err) : hf_certificate_make_key(key, err);
        if (r == 0)
            r = hf_file_replace(certificate->p.world.fs, certificate->pending_path, key->p, key->n, 0600, err);
    }
    if (r == 0)
        r = hf_certificate_key_id(hf_buf_str(key), hex, err);
    if (r < 0) {
        hf_buf_wipe(key);
        return r;
    }
    int n = snprintf(certificate->name, sizeof(certificate->name), "holdfast-agent-%.200s-%.16s",
                     certificate->p.node_name, hex);
    return n < (int)sizeof(certificate->name) ? 0 : hf_err_set(err, ENAMETOOLONG, "the node's name is too long");
}

static void start_key(struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;
    int r = make_key(certificate, &err);

    if (r < 0) {
        log_failure(certificate, "certificate.no_key", &err);
        note(certificate, HF_RENEWAL_NOT_STORED, err.cause, "");
    } else {
        certificate->asked_ns = hf_mono_ns(certificate->p.world.clock);
    }
    event(certificate, r < 0 ? HF_RENEWAL_FAILED : HF_RENEWAL_DONE);
}

/* The certificate to ask for, and to take: for the Node as it was read before the request. */
static struct hf_certificate_owner wanted_owner(const struct hf_client_certificate *certificate)
{
    return (struct hf_certificate_owner){.key_pem = hf_buf_str(&certificate->pending_key),
                                         .common_name = certificate->common_name,
                                         .organization = GROUP,
                                         .node_uid = certificate->asked_uid};
}

static json_t *request_object(const struct hf_client_certificate *certificate, struct hf_err *err)
{
    const struct hf_certificate_owner owner = wanted_owner(certificate);
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(MAX_FILE), text = HF_BUF_INIT(MAX_FILE);
    uint64_t lifetime =
        certificate->p.lifetime_ns != 0 ? certificate->p.lifetime_ns : HF_CLIENT_CERTIFICATE_LIFETIME_NS;

    if (hf_certificate_request(&owner, &pem, err) < 0 || hf_base64_encode(pem.p, pem.n, &text) < 0)
        return NULL;
    return json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s, s:I, s:[s, s]}}", "apiVersion", API_VERSION, "kind",
                     "CertificateSigningRequest", "metadata", "name", certificate->name, "spec", "request",
                     hf_buf_str(&text), "signerName", SIGNER, "expirationSeconds",
                     (json_int_t)(HF_MAX(lifetime, MIN_LIFETIME_NS) / HF_NS_PER_S), "usages", "digital signature",
                     "client auth");
}

static void count(const struct hf_client_certificate *certificate, const char *result)
{
    hf_metric_add(hf_metric_with(certificate->requests, HF_LABELS(result)), 1);
}

/* ---- ways -------------------------------------------------------------------------------------------------------- */

static enum hf_way next_way(const struct hf_client_certificate *certificate)
{
    const struct hf_way_facts facts = {.certificate = certificate->in_use,
                                       .kubelet = certificate->p.kubelet != NULL,
                                       .excluded = certificate->excluded};

    return hf_way_next(&facts);
}

/* NULL: there is none, or no safe one. */
static struct hf_kube *kubelet_of(const struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_kube *kube = certificate->p.kubelet(certificate->p.arg, &err);

    if (kube == NULL)
        hf_log_err(certificate->p.world.log, err.code == ENOENT ? HF_LOG_INFO : HF_LOG_WARNING,
                   "certificate.no_kubelet", "dir", certificate->p.dir, &err);
    return kube;
}

/* The way of the request was refused. Returns `otherwise` if it was the last one. */
static enum hf_renewal_event leave_way(struct hf_client_certificate *certificate, enum hf_renewal_event otherwise)
{
    certificate->excluded |= hf_way_bit(certificate->way);
    if (next_way(certificate) == HF_WAY_KUBELET && kubelet_of(certificate) == NULL)
        certificate->excluded |= hf_way_bit(HF_WAY_KUBELET);
    return next_way(certificate) == HF_WAY_NONE ? otherwise : HF_RENEWAL_ANOTHER;
}

/* The client of the way; NULL: the way is not there any more. */
static struct hf_kube *client_of(const struct hf_client_certificate *certificate)
{
    return certificate->way == HF_WAY_KUBELET ? kubelet_of(certificate) : certificate->p.kube;
}

static enum hf_renewal_event event_of_failure(struct hf_client_certificate *certificate,
                                              const struct hf_kube_answer *answer)
{
    bool refused = answer->r == -EACCES || answer->r == -EBADMSG;

    hf_log_err(certificate->p.world.log, refused ? HF_LOG_WARNING : HF_LOG_DEBUG,
               refused ? "certificate.refused" : "certificate.not_reached", "request", certificate->name, &answer->err);
    certificate->retry_after_ns = answer->retry_after_ns;
    count(certificate, refused ? "refused" : "failed");
    if (refused)
        note(certificate, HF_RENEWAL_NOT_ALLOWED, answer->err.cause, "");
    return refused ? leave_way(certificate, HF_RENEWAL_REFUSED) : HF_RENEWAL_FAILED;
}

static void created(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_client_certificate *certificate = arg;

    certificate->call = NULL;
    if (answer->r < 0 && answer->r != -EEXIST) { /* a request with the name of our key is ours */
        bool absent = answer->r == -ENOENT;      /* a server without certificates.k8s.io */
        enum hf_renewal_event what = event_of_failure(certificate, answer);
        if (absent)
            note(certificate, HF_RENEWAL_NOT_ALLOWED, answer->err.cause, "");
        event(certificate, absent ? leave_way(certificate, HF_RENEWAL_REFUSED) : what);
        return;
    }
    count(certificate, "created");
    hf_log(certificate->p.world.log, HF_LOG_INFO, "certificate.requested", HF_S("request", certificate->name),
           HF_S("way", hf_way_reason(certificate->way)));
    event(certificate, HF_RENEWAL_DONE);
}

/* The condition Denied, or Failed by the signer; NULL for neither. */
static const json_t *find_denial(const json_t *object)
{
    const json_t *conditions = hf_json_at(object, "status.conditions");

    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        const char *type = hf_json_str_or(condition, "type", "");
        if (strcmp(type, "Denied") == 0 || strcmp(type, "Failed") == 0)
            return condition;
    }
    return NULL;
}

static enum hf_renewal_event judge(struct hf_client_certificate *certificate, const json_t *object)
{
    const json_t *denial = find_denial(object);
    const char *text = hf_json_str_or(object, "status.certificate", "");

    if (denial != NULL) {
        hf_log(certificate->p.world.log, HF_LOG_ERROR, "certificate.denied", HF_S("request", certificate->name),
               HF_S("type", hf_json_str_or(denial, "type", "")), HF_S("reason", hf_json_str_or(denial, "reason", "")),
               HF_S("message", hf_json_str_or(denial, "message", "")));
        count(certificate, "denied");
        note(certificate, HF_RENEWAL_WAS_DENIED, hf_json_str_or(denial, "reason", ""),
             hf_json_str_or(denial, "message", ""));
        return leave_way(certificate, HF_RENEWAL_DENIED);
    }
    if (text[0] == '\0')
        return HF_RENEWAL_PENDING;
    hf_buf_clear(&certificate->issued);
    if (hf_base64_decode(hf_view_of(text), &certificate->issued) < 0)
        hf_buf_clear(&certificate->issued); /* too long or damaged: save() finds no certificate in it */
    return HF_RENEWAL_DONE;
}

static void was_read(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_client_certificate *certificate = arg;

    certificate->call = NULL;
    if (answer->r == -ENOENT)
        certificate->excluded = 0;
    if (answer->r == -ENOENT)
        event(certificate, HF_RENEWAL_ABSENT);
    else if (answer->r < 0)
        event(certificate, event_of_failure(certificate, answer));
    else
        event(certificate, judge(certificate, answer->object));
}

static void send_call(struct hf_client_certificate *certificate, const struct hf_kube_call *call,
                      hf_kube_call_done *done)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_kube *kube = client_of(certificate);

    if (kube == NULL) {
        event(certificate, leave_way(certificate, HF_RENEWAL_REFUSED));
        return;
    }
    if (hf_kube_call_send(kube, call, done, certificate, &certificate->call, &err) == 0)
        return;
    certificate->call = NULL;
    log_failure(certificate, "certificate.not_requested", &err);
    event(certificate, HF_RENEWAL_FAILED);
}

static void create(struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;
    _cleanup_(hf_json_freep) json_t *object = request_object(certificate, &err);
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_CREATE, API_VERSION, PLURAL, NULL, .body = object);

    if (object == NULL) {
        log_failure(certificate, "certificate.not_requested", &err);
        event(certificate, HF_RENEWAL_FAILED);
        return;
    }
    send_call(certificate, &call, created);
}

/* The certificate is for the Node that is there now, not for the name. */
static void node_was_read(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_client_certificate *certificate = arg;
    const char *uid = hf_json_str_or(answer->object, "metadata.uid", "");
    bool good = answer->r == 0 && uid[0] != '\0' && strlen(uid) < sizeof(certificate->asked_uid);

    certificate->call = NULL;
    if (good) {
        (void)snprintf(certificate->asked_uid, sizeof(certificate->asked_uid), "%s", uid);
        create(certificate);
        return;
    }
    if (answer->r == -ENOENT)
        note(certificate, HF_RENEWAL_WAS_DENIED, "NodeGone", "the cluster has no Node of this node's name");
    event(certificate, answer->r < 0 ? event_of_failure(certificate, answer) : HF_RENEWAL_FAILED);
}

static void start_create(struct hf_client_certificate *certificate)
{
    const struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_GET, "v1", "nodes", certificate->p.node_name, .metadata_only = true);

    certificate->way = next_way(certificate);
    if (certificate->way == HF_WAY_NONE) { /* the certificate came back into use, or was set aside, meanwhile */
        event(certificate, HF_RENEWAL_REFUSED);
        return;
    }
    send_call(certificate, &call, node_was_read);
}

static void start_read(struct hf_client_certificate *certificate)
{
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_GET, API_VERSION, PLURAL, certificate->name);

    send_call(certificate, &call, was_read);
}

/* Takes the issued certificate, for the key that waits, and makes the text of client.pem. -EBADMSG: of no use. */
static int take_issued(struct hf_client_certificate *certificate, struct pair *fresh, struct hf_buf *text,
                       struct hf_err *err)
{
    const struct hf_buf *key = &certificate->pending_key;
    const struct hf_certificate_owner owner = wanted_owner(certificate);
    uint64_t now = unix_now(certificate);
    int r = hf_certificate_take(hf_buf_view(&certificate->issued), &owner, &fresh->certificate, &fresh->info, err);

    if (r < 0)
        return r;
    if (fresh->info.not_after_unix_ns <= now)
        return hf_err_set(err, EBADMSG, "the new certificate has expired already");
    if (fresh->info.not_after_unix_ns - now < LEAST_REST_NS)
        return hf_err_set(err, EBADMSG, "the new certificate ends in less than a minute");
    if (hf_buf_add(&fresh->key, key->p, key->n) < 0 ||
        hf_buf_addf(text, "%s%s", hf_buf_str(&fresh->certificate), hf_buf_str(key)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

/* BAD: the cluster made a certificate that is of no use. FAILED: the disk. */
static enum hf_renewal_event save(struct hf_client_certificate *certificate, struct hf_err *err)
{
    struct hf_buf text = HF_BUF_INIT(MAX_FILE);
    struct pair fresh = {.certificate = HF_BUF_INIT(MAX_FILE), .key = HF_BUF_INIT(MAX_FILE)};
    int r = take_issued(certificate, &fresh, &text, err);
    enum hf_renewal_event what = r == -EBADMSG ? HF_RENEWAL_BAD : HF_RENEWAL_FAILED;

    if (r == 0)
        r = hf_certificate_folder_check(certificate->p.world.fs, certificate->p.dir, err);
    if (r == 0)
        r = hf_file_replace(certificate->p.world.fs, certificate->client_path, text.p, text.n, 0600, err);
    if (r == 0) {
        keep_pair(certificate, &fresh, unix_now(certificate));
        what = HF_RENEWAL_DONE;
    }
    hf_buf_wipe(&text);
    pair_done(&fresh);
    return what;
}

static void tell_issued(struct hf_client_certificate *certificate)
{
    certificate->came_by = certificate->way;
    memcpy(certificate->came_as, certificate->name, sizeof(certificate->came_as));
    certificate->excluded = 0;
    hf_log(certificate->p.world.log, HF_LOG_INFO, "certificate.issued", HF_S("request", certificate->name),
           HF_S("way", hf_way_reason(certificate->way)));
    if (certificate->p.issued != NULL)
        certificate->p.issued(certificate->p.arg, certificate->way, certificate->name);
}

static void start_save(struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;
    enum hf_renewal_event what = save(certificate, &err);

    hf_buf_clear(&certificate->issued);
    if (what == HF_RENEWAL_DONE) {
        drop_pending_key(certificate);
        count(certificate, "issued");
        note(certificate, HF_RENEWAL_NO_TROUBLE, "", "");
        tell_issued(certificate);
    } else {
        log_failure(certificate, "certificate.not_saved", &err);
        note(certificate, what == HF_RENEWAL_BAD ? HF_RENEWAL_UNUSABLE : HF_RENEWAL_NOT_STORED, err.cause, "");
    }
    event(certificate, what);
}

static void start_use(struct hf_client_certificate *certificate)
{
    hf_backoff_reset(&certificate->poll);
    hf_backoff_reset(&certificate->brief);
    hf_backoff_reset(&certificate->pause);
    use(certificate, true);
}

/* ---- the machine ------------------------------------------------------------------------------------------------- */

/* The last third of a lifetime has room for twenty looks: a short certificate does not end between two of them. */
static uint64_t look_again_ns(const struct hf_client_certificate *certificate, uint64_t delay_ns)
{
    const struct hf_certificate_info *info = &certificate->pair.info;
    uint64_t span = has_pair(certificate) ? info->not_after_unix_ns - info->not_before_unix_ns : HF_RENEWAL_MAX_NS;

    return HF_MIN(delay_ns, HF_MAX(span / 60, 2 * HF_NS_PER_S));
}

static uint64_t delay_of(struct hf_client_certificate *certificate, enum hf_renewal_delay delay)
{
    struct hf_backoff *const growing[] = {[HF_RENEWAL_POLL] = &certificate->poll,
                                          [HF_RENEWAL_SHORT] = &certificate->brief,
                                          [HF_RENEWAL_LONG] = &certificate->pause};
    uint64_t now = unix_now(certificate), date = certificate->pair.renew_unix_ns;

    if (delay != HF_RENEWAL_AT_DATE) {
        uint64_t at_least = certificate->retry_after_ns;
        certificate->retry_after_ns = 0;
        uint64_t next = hf_backoff_next_ns(growing[delay], certificate->p.world.rng, at_least);
        return delay == HF_RENEWAL_LONG || at_least != 0 ? next : look_again_ns(certificate, next);
    }
    /* A clock that stands in the past must not put the renewal off beyond a lifetime. */
    uint64_t span = certificate->pair.info.not_after_unix_ns - certificate->pair.info.not_before_unix_ns;
    return HF_MIN(date - HF_MIN(now, date), HF_MIN(span, HF_RENEWAL_MAX_NS));
}

static void event(struct hf_client_certificate *certificate, enum hf_renewal_event what)
{
    static void (*const start[HF_RENEWAL_ACTIONS])(struct hf_client_certificate *) = {
        [HF_RENEWAL_MAKE_KEY] = start_key, [HF_RENEWAL_CREATE] = start_create,       [HF_RENEWAL_READ] = start_read,
        [HF_RENEWAL_SAVE] = start_save,    [HF_RENEWAL_DROP_KEY] = drop_pending_key, [HF_RENEWAL_USE] = start_use,
    };
    const struct hf_sched_ops *sched = certificate->p.world.sched;
    struct hf_renewal_move move = hf_renewal_move(certificate->state, what);

    if (!move.known)
        return;
    certificate->state = move.next;
    if (move.delay != HF_RENEWAL_NEVER)
        hf_timer_arm(sched, certificate->timer, delay_of(certificate, move.delay));
    else
        hf_timer_disarm(sched, certificate->timer);
    if (start[move.action] != NULL)
        start[move.action](certificate);
    look_at_trouble(certificate);
}

/* A certificate of MetaServer's cluster would be of no use: MetaServer does not ask for one. */
static void on_timer(void *arg)
{
    struct hf_client_certificate *certificate = arg;

    if (!hf_kube_is_metaserver(certificate->p.kube)) {
        certificate->excluded = certificate->state == HF_RENEWAL_PAUSE ? 0 : certificate->excluded;
        event(certificate, HF_RENEWAL_DUE);
        return;
    }
    if (!certificate->meta_logged)
        hf_log(certificate->p.world.log, HF_LOG_ERROR, "certificate.metaserver", HF_S("dir", certificate->p.dir),
               HF_S("error", "a MetaServer issues no certificates; give --status-kubeconfig, or no "
                             "--client-certificate-dir"));
    certificate->meta_logged = true;
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

/* A server that refuses or replaces all the time must not make the agent write its disk all the time: a certificate is
 * given up on its word at most once in five minutes, or in a quarter of a short lifetime. */
static void give_up_in_time(struct hf_client_certificate *certificate)
{
    const struct hf_certificate_info *info = &certificate->pair.info;
    uint64_t quarter = HF_MAX((info->not_after_unix_ns - info->not_before_unix_ns) / 4, 10 * HF_NS_PER_S);
    uint64_t pause = HF_MIN(quarter, TRY_AGAIN_NS), now = hf_mono_ns(certificate->p.world.clock);

    if (!certificate->lost || (certificate->lost_ns != 0 && now - certificate->lost_ns < pause))
        return;
    certificate->lost = false;
    certificate->lost_ns = now;
    event(certificate, HF_RENEWAL_LOST);
}

static void set_aside(struct hf_client_certificate *certificate)
{
    certificate->clock_only = false;
    use(certificate, false);
    certificate->lost = true;
    give_up_in_time(certificate);
}

void hf_client_certificate_refused(struct hf_client_certificate *certificate)
{
    if (certificate == NULL || !has_pair(certificate))
        return;
    if (certificate->in_use)
        set_aside(certificate);
    else if (!is_expired(certificate))
        use(certificate, true);
}

void hf_client_certificate_credential(struct hf_client_certificate *certificate)
{
    if (certificate == NULL || certificate->in_use)
        return;
    certificate->excluded = 0;
    if (certificate->state == HF_RENEWAL_PAUSE)
        event(certificate, HF_RENEWAL_DUE);
}

static void look_at_node(struct hf_client_certificate *certificate)
{
    if (!certificate->node_changed || !certificate->in_use || certificate->pair.info.node_uid[0] == '\0')
        return;
    certificate->node_changed = false;
    if (strcmp(certificate->pair.info.node_uid, certificate->seen_uid) == 0)
        return;
    hf_log(certificate->p.world.log, HF_LOG_WARNING, "certificate.node_replaced",
           HF_S("was", certificate->pair.info.node_uid), HF_S("is", certificate->seen_uid));
    set_aside(certificate);
}

void hf_client_certificate_node(struct hf_client_certificate *certificate, const char *uid)
{
    if (certificate == NULL || strcmp(certificate->seen_uid, uid) == 0 || strlen(uid) >= sizeof(certificate->seen_uid))
        return;
    (void)snprintf(certificate->seen_uid, sizeof(certificate->seen_uid), "%s", uid);
    certificate->node_changed = true;
    look_at_node(certificate);
}

/* A pair was set aside because a clock ran ahead, or because of a 401 that has passed. A server that has no other
 * credential to go by answers 403 to the rest, and not 401: so nothing else would bring the pair back. */
static bool may_try_again(const struct hf_client_certificate *certificate)
{
    return has_pair(certificate) && !is_expired(certificate) && certificate->trouble == HF_RENEWAL_NOT_ALLOWED &&
           (certificate->state == HF_RENEWAL_PAUSE || certificate->way == HF_WAY_KUBELET) &&
           hf_mono_ns(certificate->p.world.clock) - certificate->aside_ns >= TRY_AGAIN_NS;
}

void hf_client_certificate_check(struct hf_client_certificate *certificate)
{
    if (certificate == NULL)
        return;
    if (certificate->in_use && is_expired(certificate)) {
        hf_log(certificate->p.world.log, HF_LOG_WARNING, "certificate.expired", HF_S("dir", certificate->p.dir));
        certificate->clock_only = true;
        use(certificate, false);
        event(certificate, HF_RENEWAL_LOST);
    } else if (certificate->in_use) {
        /* The clock was wrong when the timer was armed. */
        if (certificate->state == HF_RENEWAL_CURRENT && unix_now(certificate) >= certificate->pair.renew_unix_ns)
            event(certificate, HF_RENEWAL_DUE);
    } else if ((has_pair(certificate) && !is_expired(certificate) && certificate->clock_only) ||
               may_try_again(certificate)) {
        use(certificate, true); /* the clock had run ahead, or a 401 has passed */
    }
    give_up_in_time(certificate);
    look_at_node(certificate);
    look_at_trouble(certificate);
    if (certificate->state == HF_RENEWAL_CURRENT && certificate->call == NULL && certificate->p.kubelet_done != NULL)
        certificate->p.kubelet_done(certificate->p.arg);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

/* A power cut between the two steps of a save leaves the key of the certificate in use as the pending one. */
static bool is_key_of_pair(const struct hf_client_certificate *certificate)
{
    char pending[HF_SHA256_HEX] = "", own[HF_SHA256_HEX] = "";

    return has_pair(certificate) && certificate->pending_key.n > 0 &&
           hf_certificate_key_id(hf_buf_str(&certificate->pending_key), pending, NULL) == 0 &&
           hf_certificate_key_id(hf_buf_str(&certificate->pair.key), own, NULL) == 0 && strcmp(pending, own) == 0;
}

static void load(struct hf_client_certificate *certificate)
{
    struct hf_err err = HF_ERR_INIT;
    int r = load_pair(certificate, &err);
    bool right_kind = r == 0 && check_kind(certificate, hf_buf_str(&certificate->pair.key), &err) == 0;

    if (r == 0 && !right_kind && hf_tpm_key_is(hf_buf_str(&certificate->pair.key))) {
        log_failure(certificate, "certificate.unusable", &err);
        note(certificate, HF_RENEWAL_UNUSABLE, err.cause, "");
        pair_done(&certificate->pair);
    }
    if (r < 0 && r != -ENOENT) {
        log_failure(certificate, "certificate.unusable", &err);
        note(certificate, r == -EPERM ? HF_RENEWAL_NOT_STORED : HF_RENEWAL_UNUSABLE, err.cause, "");
    }
    (void)!read_pending_key(certificate, NULL);
    if (is_key_of_pair(certificate))
        drop_pending_key(certificate);
    if (has_pair(certificate) && !is_expired(certificate))
        use(certificate, true);
    /* A certificate that names no uid would be good for another Node of this name: replace it at once. */
    bool current = certificate->in_use && certificate->pending_key.n == 0 && right_kind &&
                   certificate->pair.info.node_uid[0] != '\0';
    certificate->clock_only = has_pair(certificate) && is_expired(certificate);
    certificate->state = current ? HF_RENEWAL_CURRENT : HF_RENEWAL_KEY;
    hf_timer_arm(certificate->p.world.sched, certificate->timer,
                 current ? delay_of(certificate, HF_RENEWAL_AT_DATE) : 0);
}

int hf_client_certificate_new(const struct hf_client_certificate_params *params,
                              struct hf_client_certificate **ret_certificate, struct hf_err *err)
{
    _cleanup_(hf_client_certificate_freep) struct hf_client_certificate *certificate = calloc(1, sizeof(*certificate));

    if (certificate == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    certificate->p = *params;
    certificate->pair = (struct pair){.certificate = HF_BUF_INIT(MAX_FILE), .key = HF_BUF_INIT(MAX_FILE)};
    certificate->pending_key.max = certificate->issued.max = MAX_FILE;
    const struct hf_backoff growing = {
        .base_ns = 2 * HF_NS_PER_S, .cap_ns = 300 * HF_NS_PER_S, .floor_ns = HF_NS_PER_S};
    certificate->poll = certificate->brief = growing;
    certificate->pause = (struct hf_backoff){
        .base_ns = 600 * HF_NS_PER_S, .cap_ns = 6 * 3600 * HF_NS_PER_S, .floor_ns = 300 * HF_NS_PER_S};
    certificate->client_path = hf_asprintf("%s/client.pem", params->dir);
    certificate->pending_path = hf_asprintf("%s/pending.key", params->dir);
    certificate->common_name = hf_asprintf("holdfast:agent:%s", params->node_name);
    certificate->timer = hf_timer_new(params->world.sched, on_timer, certificate);
    certificate->expiry = hf_metric_gauge(params->world.metrics, "holdfast_client_certificate_expiry_seconds",
                                          "Unix time at which the client certificate of this node expires.");
    certificate->requests =
        hf_metric_family(params->world.metrics, HF_METRIC_COUNTER, "holdfast_client_certificate_requests_total",
                         "Requests for a client certificate, by result.", HF_LABELS("result"));
    if (certificate->client_path == NULL || certificate->pending_path == NULL || certificate->common_name == NULL ||
        certificate->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_dir_make(params->world.fs, params->dir, 0700, err);
    if (r < 0)
        return hf_err_wrap(err, r, "--client-certificate-dir");
    load(certificate);
    *ret_certificate = hf_steal(certificate);
    return 0;
}

void hf_client_certificate_free(struct hf_client_certificate *certificate)
{
    if (certificate == NULL)
        return;
    hf_kube_call_cancel(certificate->call);
    hf_timer_free(certificate->p.world.sched, certificate->timer);
    pair_done(&certificate->pair);
    hf_buf_wipe(&certificate->pending_key);
    hf_buf_done(&certificate->issued);
    free(certificate->client_path);
    free(certificate->pending_path);
    free(certificate->common_name);
    free(certificate);
}
