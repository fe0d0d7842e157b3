/* SPDX-License-Identifier: Apache-2.0 */
/* A client certificate in virtual time: a simulated API server, an approver that is away, says no, or signs; a disk
 * that loses power at any call. */
#include "agent/identity/client_certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "base/encoding/utf8.h"
#include "loop/tpm_key.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simfs.h"
#include "support/swtpm.h"
#include "support/walk.h"
#include "trust/certificate.h"
#include "trust/csr_parse.h"

#define S HF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DENIAL /* no cut at a fixed length hits the end of a character */                                              \
    "x\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"    \
    "\u00e4\u00e4"                                                                                                     \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"     \
    "\u00e4\u00e4\u00e4\u00e4"                                                                                         \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"     \
    "\u00e4\u00e4\u00e4\u00e4"                                                                                         \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"     \
    "\u00e4\u00e4\u00e4\u00e4"                                                                                         \
    "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"     \
    "\u00e4\u00e4\u00e4\u00e4"
#define DIR "/var/lib/holdfast/certificate"

enum mood { SIGNS, AWAY, DENIES, ATTACKS };

/* What a hostile signer answers. */
enum attack {
    ANOTHER_NODE,
    ANOTHER_GROUP,
    TWO_GROUPS,
    ANOTHER_UID,
    WITHOUT_UID,
    ANOTHER_KEY,
    WITH_ITS_KEY, /* the certificate of a key of the attacker, and that key */
    FOR_SERVERS,
    EXPIRED,
    BACKWARDS, /* ends before it begins */
    SHORT,     /* would have to be renewed all the time */
    GARBAGE,
    EMPTY_LINE,
    HUGE_TEXT,
    LONG_CHAIN,
    DAMAGED_CHAIN,     /* the second certificate is damaged */
    CUT_CHAIN,         /* the second certificate lacks its end */
    DAMAGED_DER_CHAIN, /* the second one is base64, but not of a certificate */
    ATTACKS_ON_CERTIFICATES,
};

static EVP_PKEY *authority;

static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simfs *fs;
    enum mood mood;
    enum attack attack;
    bool no_end;   /* sign until the year 9999 */
    unsigned told; /* calls of `changed` */
    uint64_t lifetime_ns;
    const char *node;       /* NULL: n1 */
    char uid[80];           /* the group that the agent has to ask for */
    unsigned seen, signed_; /* requests that the approver found, and signed */
    /* one life */
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_client_certificate *certificate;
    unsigned uses, drops;  /* calls of `use` */
    uint64_t ends_unix_ns; /* of the certificate in use */
    /* absences */
    uint64_t token_ends_ns, look_every_ns, issue_ns;
    bool has_kubelet, kubelet_good, in_tpm;
    unsigned by_kubelet, refused; /* requests with its identity; requests of n1 that were refused */
    enum hf_way came_by;
    struct hf_simproc *kubelet_proc;
    struct hf_simclient *kubelet_client;
    struct hf_kube *kubelet_kube;
    char in_use[64 << 10]; /* PEM; "" the bootstrap credential */
} w;

/* ---- the cluster ------------------------------------------------------------------------------------------------- */

static void expect_request(const struct hf_buf *pem, const json_t *object)
{
    struct hf_csr csr;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_csr_parse(hf_buf_view(pem), &csr, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(csr.common_name, "holdfast:agent:n1");
    ck_assert_str_eq(csr.organizations[0], "holdfast:agents");
    ck_assert_str_eq(csr.organizations[1], w.uid);
    ck_assert_int_eq(csr.key, HF_CSR_KEY_P256);
    ck_assert_str_eq(hf_json_str(object, "spec.signerName"), "kubernetes.io/kube-apiserver-client");
    ck_assert_int_eq(hf_json_int_or(object, "spec.expirationSeconds", 0), (int64_t)(w.lifetime_ns / S));
    ck_assert_uint_eq(json_array_size(hf_json_at(object, "spec.usages")), 2);
}

static void rename_subject(X509 *certificate, const char *field, const char *text, bool add)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
    int at = X509_NAME_get_index_by_NID(name, OBJ_txt2nid(field), -1);

    if (!add)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, field, V_ASN1_UTF8STRING, (const unsigned char *)text, -1, -1, 0),
                     1);
    (void)X509_set_subject_name(certificate, name);
    X509_NAME_free(name);
}

static void drop_uid(X509 *certificate)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
    int first = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);

    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, X509_NAME_get_index_by_NID(name, NID_organizationName, first)));
    (void)X509_set_subject_name(certificate, name);
    X509_NAME_free(name);
}

static void spoil(X509 *certificate, time_t now)
{
    X509_EXTENSION *usage;

    switch (w.attack) {
    case ANOTHER_NODE:
        rename_subject(certificate, "CN", "holdfast:agent:n2", false);
        break;
    case ANOTHER_GROUP:
        rename_subject(certificate, "O", "system:masters", false);
        break;
    case TWO_GROUPS:
        rename_subject(certificate, "O", "system:masters", true);
        break;
    case ANOTHER_UID:
        drop_uid(certificate);
        rename_subject(certificate, "O", "holdfast:node-uid:u9", true);
        break;
    case WITHOUT_UID:
        drop_uid(certificate);
        break;
    case ANOTHER_KEY:
    case WITH_ITS_KEY:
        (void)X509_set_pubkey(certificate, authority);
        break;
    case FOR_SERVERS:
        usage = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "serverAuth");
        (void)X509_add_ext(certificate, usage, -1);
        X509_EXTENSION_free(usage);
        break;
    case EXPIRED:
        (void)ASN1_TIME_set(X509_getm_notAfter(certificate), now - 1);
        break;
    case BACKWARDS:
        (void)ASN1_TIME_set(X509_getm_notBefore(certificate), now + 2 * (time_t)(w.lifetime_ns / S));
        break;
    case SHORT:
        (void)ASN1_TIME_set(X509_getm_notAfter(certificate), now + 20);
        break;
    default:
        break;
    }
}

/* Dates back by five minutes, as the controller manager does. */
static void sign(const struct hf_buf *request_pem, struct hf_buf *out)
{
    BIO *in = BIO_new_mem_buf(request_pem->p, (int)request_pem->n), *text = BIO_new(BIO_s_mem());
    X509_REQ *request = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
    X509 *certificate = X509_new();
    time_t now = (time_t)((HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop)) / S);
    char *bytes;

    ck_assert(request != NULL && certificate != NULL);
    (void)X509_set_version(certificate, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), (long)++w.signed_);
    (void)X509_set_subject_name(certificate, X509_REQ_get_subject_name(request));
    (void)X509_set_issuer_name(certificate, X509_REQ_get_subject_name(request));
    (void)ASN1_TIME_set(X509_getm_notBefore(certificate), now - 300);
    (void)ASN1_TIME_set(X509_getm_notAfter(certificate),
                        now + (time_t)((w.issue_ns != 0 ? w.issue_ns : w.lifetime_ns) / S));
    if (w.no_end)
        (void)ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z");
    (void)X509_set_pubkey(certificate, X509_REQ_get0_pubkey(request));
    if (w.mood == ATTACKS)
        spoil(certificate, now);
    ck_assert(X509_sign(certificate, authority, EVP_sha256()) > 0);
    ck_assert(PEM_write_bio_X509(text, certificate) == 1);
    long n = BIO_get_mem_data(text, &bytes);
    ck_assert_int_eq(hf_buf_add(out, bytes, (size_t)n), 0);
    (void)BIO_free(in);
    (void)BIO_free(text);
    X509_REQ_free(request);
    X509_free(certificate);
}

/* What stands in status.certificate in place of, or after, the certificate. */
static void add_attack(struct hf_buf *text)
{
    static const char garbage[] = "-----BEGIN CERTIFICATE-----\nAAAA\xff\0-----END CERTIFICATE-----\n";
    BIO *key = BIO_new(BIO_s_mem());
    char *bytes;
    size_t n = text->n;

    switch (w.attack) {
    case DAMAGED_CHAIN:
        ck_assert_int_eq(hf_buf_add_str(text, "-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n"), 0);
        break;
    case CUT_CHAIN:
        ck_assert_int_eq(hf_buf_reserve(text, n), 0);
        ck_assert_int_eq(hf_buf_add(text, text->p, n / 2), 0);
        break;
    case DAMAGED_DER_CHAIN:
        ck_assert_int_eq(hf_buf_add_str(text, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0);
        break;
    case WITH_ITS_KEY:
        ck_assert(PEM_write_bio_PKCS8PrivateKey(key, authority, NULL, NULL, 0, NULL, NULL) == 1);
        ck_assert_int_eq(hf_buf_add(text, bytes, (size_t)BIO_get_mem_data(key, &bytes)), 0);
        break;
    case GARBAGE:
    case EMPTY_LINE:
        hf_buf_clear(text);
        ck_assert_int_eq(
            hf_buf_add(text, w.attack == GARBAGE ? garbage : "\n", w.attack == GARBAGE ? sizeof(garbage) - 1 : 1), 0);
        break;
    case HUGE_TEXT:
        while (text->n < 100000)
            ck_assert_int_eq(hf_buf_add_str(text, "all work and no play\n"), 0);
        break;
    case LONG_CHAIN:
        for (int i = 0; i < 60; i++) {
            ck_assert_int_eq(hf_buf_reserve(text, n), 0);
            ck_assert_int_eq(hf_buf_add(text, text->p, n), 0);
        }
        break;
    default:
        break;
    }
    (void)BIO_free(key);
}

static void answer(json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf request = HF_BUF_INIT(65536), certificate = HF_BUF_INIT(1 << 20),
                                         text = HF_BUF_INIT(1 << 20);
    json_t *copy = json_deep_copy(object);

    ck_assert_int_eq(hf_base64_decode(hf_view_of(hf_json_str_or(object, "spec.request", "")), &request), 0);
    if (w.node == NULL)
        expect_request(&request, object);
    if (w.mood == DENIES) {
        ck_assert_int_eq(
            hf_json_put(copy, "status.conditions",
                        json_pack("[{s:s, s:s, s:s}]", "type", "Denied", "reason", "NodeUnknown", "message", DENIAL)),
            0);
    } else {
        sign(&request, &certificate);
        if (w.mood == ATTACKS)
            add_attack(&certificate);
        ck_assert_int_eq(hf_base64_encode(certificate.p, certificate.n, &text), 0);
        ck_assert_int_eq(hf_json_put(copy, "status.certificate", json_string(hf_buf_str(&text))), 0);
    }
    (void)hf_simapi_put(w.api, copy);
}

static void find_open(void *arg, json_t *object)
{
    json_t **found = arg;

    w.seen++;
    if (json_object_get(object, "status") == NULL)
        *found = object;
}

static void approve(void *arg)
{
    json_t *open = NULL;

    w.seen = 0;
    hf_simapi_each(w.api, "CertificateSigningRequest", find_open, &open);
    if (open != NULL && w.mood != AWAY)
        answer(open);
    hf_simloop_post(w.loop, w.no_end ? MINUTE : w.look_every_ns, approve, arg);
}

/* ---- a life ------------------------------------------------------------------------------------------------------ */

static int use(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err)
{
    struct hf_certificate_info info;

    (void)arg;
    if (certificate_pem != NULL)
        ck_assert_int_eq(hf_certificate_read(certificate_pem, key_pem, &info, err), 0);
    w.ends_unix_ns = certificate_pem != NULL ? info.not_after_unix_ns : 0;
    w.uses += certificate_pem != NULL;
    w.drops += certificate_pem == NULL;
    (void)snprintf(w.in_use, sizeof(w.in_use), "%s", certificate_pem != NULL ? certificate_pem : "");
    return 0;
}

static void changed(void *arg)
{
    (void)arg;
    w.told++;
}

static void issued(void *arg, enum hf_way way, const char *request)
{
    (void)arg;
    ck_assert_str_ne(request, "");
    w.came_by = way;
}

/* As the client of the API server does after a 401. */
static int reauthenticate(void *arg, struct hf_err *err)
{
    (void)arg, (void)err;
    hf_client_certificate_refused(w.certificate);
    return 0;
}

static int authenticate(void *arg, const char *client)
{
    uint64_t now = hf_simloop_now_ns(w.loop);
    bool kubelet = strcmp(client, "kubelet") == 0;
    bool good = kubelet ? w.kubelet_good
                        : (w.in_use[0] != '\0' ? HF_SIM_UNIX_START + now < w.ends_unix_ns : now < w.token_ends_ns);

    (void)arg;
    w.by_kubelet += kubelet;
    w.refused += !kubelet && !good;
    return good ? 0 : 401;
}

static void kubelet_done(void *arg)
{
    (void)arg;
    hf_kube_free(w.kubelet_kube);
    hf_simclient_free(w.kubelet_client);
    hf_simproc_free(w.kubelet_proc);
    w.kubelet_kube = NULL;
    w.kubelet_client = NULL;
    w.kubelet_proc = NULL;
}

static struct hf_kube *kubelet_client(void *arg, struct hf_err *err)
{
    (void)arg;
    if (!w.has_kubelet)
        (void)hf_err_set(err, ENOENT, "no kubelet");
    if (!w.has_kubelet)
        return NULL;
    if (w.kubelet_kube != NULL)
        return w.kubelet_kube;
    w.kubelet_proc = hf_simproc_new(w.loop, "kubelet");
    w.kubelet_client = hf_simnet_client(w.net, w.kubelet_proc);
    const struct hf_kube_params kube = {.config = &w.config,
                                        .api = HF_KUBE_APISERVER,
                                        .field_manager = "holdfast-agent",
                                        .world = hf_simproc_world(w.kubelet_proc, NULL),
                                        .http = hf_simclient_ops(w.kubelet_client)};
    w.kubelet_kube = hf_kube_new(&kube, err);
    return w.kubelet_kube;
}

static int begin(void)
{
    struct hf_err err = HF_ERR_INIT;

    w.proc = hf_simproc_new(w.loop, "n1");
    w.client = hf_simnet_client(w.net, w.proc);
    w.config.server = strdup("https://api");
    w.in_use[0] = '\0';
    const struct hf_kube_params kube = {.config = &w.config,
                                        .api = HF_KUBE_APISERVER,
                                        .field_manager = "holdfast-agent",
                                        .world = hf_simproc_world(w.proc, NULL),
                                        .http = hf_simclient_ops(w.client),
                                        .reauthenticate = reauthenticate};
    w.kube = hf_kube_new(&kube, &err);
    const struct hf_client_certificate_params params = {.world = hf_simproc_world(w.proc, hf_simfs_ops(w.fs)),
                                                        .kube = w.kube,
                                                        .node_name = w.node != NULL ? w.node : "n1",
                                                        .dir = DIR,
                                                        .lifetime_ns = w.lifetime_ns,
                                                        .key_in_tpm = w.in_tpm,
                                                        .use = use,
                                                        .kubelet = kubelet_client,
                                                        .kubelet_done = kubelet_done,
                                                        .issued = issued,
                                                        .changed = changed};
    return hf_client_certificate_new(&params, &w.certificate, &err);
}

static void end(bool power_cut)
{
    hf_client_certificate_free(w.certificate);
    kubelet_done(NULL);
    hf_kube_free(w.kube);
    hf_simclient_free(w.client);
    hf_simproc_free(w.proc);
    hf_kube_config_done(&w.config);
    w.certificate = NULL;
    w.proc = NULL;
    if (power_cut)
        hf_simfs_power_cut(w.fs, hf_simloop_below(w.loop, UINT64_MAX));
}

static void run(uint64_t ns)
{
    (void)hf_simloop_run_for(w.loop, ns);
}

/* Registers a Node, or deletes it and registers it again, with another uid. Returns the uid. */
static const char *register_node(const char *name)
{
    (void)hf_simapi_delete(w.api, "Node", name);
    (void)hf_simapi_put(w.api,
                        json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Node", "metadata", "name", name));
    const char *uid = hf_json_str_or(hf_simapi_get(w.api, "Node", name), "metadata.uid", "");
    (void)snprintf(w.uid, sizeof(w.uid), "holdfast:node-uid:%s", uid);
    return uid;
}

static void set_up_seed(uint64_t seed)
{
    w = (struct world){.lifetime_ns = 24 * HOUR, .look_every_ns = 3 * S, .token_ends_ns = UINT64_MAX};
    w.loop = hf_simloop_new(seed);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    (void)register_node("n1");
    w.fs = hf_simfs_new();
    hf_simfs_mkdir(w.fs, "/var/lib/holdfast", 0755);
    hf_simloop_post(w.loop, S, approve, NULL);
}

static void set_up(void)
{
    set_up_seed(1);
}

static void tear_down(void)
{
    if (w.proc != NULL)
        end(false);
    hf_simfs_free(w.fs);
    hf_simapi_free(w.api);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
}

/* The certificate that the file holds, or "". */
static const char *stored(void)
{
    static char text[64 << 10];
    size_t n = 0;
    const char *bytes = hf_simfs_get(w.fs, DIR "/client.pem", &n);

    (void)snprintf(text, sizeof(text), "%.*s", (int)n, bytes != NULL ? bytes : "");
    char *key = strstr(text, w.in_tpm ? HF_TPM_KEY_BEGIN : "-----BEGIN PRIVATE KEY-----");
    struct hf_certificate_info info;
    if (text[0] != '\0') /* never half of it */
        ck_assert(key != NULL && hf_certificate_read(text, key, &info, NULL) == 0);
    if (key != NULL)
        *key = '\0';
    return text;
}

static bool has_file(const char *path)
{
    struct stat st;
    bool there = hf_simfs_stat(w.fs, path, &st);

    ck_assert(!there || (st.st_mode & 07777) == 0600);
    return there;
}

static void expect_current(void)
{
    ck_assert_str_ne(w.in_use, "");
    ck_assert_str_eq(w.in_use, stored());
    ck_assert(!has_file(DIR "/pending.key"));
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

START_TEST(gets_one_and_renews_it)
{
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    expect_current();
    ck_assert(has_file(DIR "/client.pem"));
    ck_assert_uint_eq(w.signed_, 1);
    run(13 * HOUR); /* 57 % at the earliest */
    ck_assert_uint_eq(w.signed_, 1);
    run(6 * HOUR); /* 77 % at the latest */
    ck_assert_uint_eq(w.signed_, 2);
    expect_current();
    ck_assert_uint_eq(w.uses, 2);
    /* A restart uses what is there, and asks for nothing. */
    end(true);
    w.mood = AWAY;
    ck_assert_int_eq(begin(), 0);
    ck_assert_str_ne(w.in_use, "");
    run(10 * MINUTE);
    ck_assert_uint_eq(w.seen, 2);
    ck_assert_uint_eq(w.drops, 0);
}
END_TEST

/* The approver is away for two days; the cluster forgets the request after one. A renewal keeps the old certificate
 * until it expires, and then the bootstrap credential serves. */
START_TEST(an_approver_that_is_away)
{
    bool renewal = _i == 1;

    ck_assert_int_eq(begin(), 0);
    run(renewal ? MINUTE : 0);
    w.mood = AWAY;
    run(20 * HOUR);
    ck_assert_uint_eq(w.seen, renewal ? 2 : 1);
    ck_assert_str_eq(w.in_use, stored());
    for (int i = 0; i < 60 * 6; i++) {
        run(MINUTE);
        hf_client_certificate_check(w.certificate);
    }
    ck_assert_str_eq(w.in_use, ""); /* 26 h */
    for (size_t i = w.seen; i > 0; i--) {
        json_t *open = NULL;
        hf_simapi_each(w.api, "CertificateSigningRequest", find_open, &open);
        char name[256];
        if (open == NULL)
            break;
        (void)snprintf(name, sizeof(name), "%s", hf_json_str_or(open, "metadata.name", ""));
        (void)hf_simapi_delete(w.api, "CertificateSigningRequest", name);
    }
    run(24 * HOUR);
    w.mood = SIGNS;
    run(10 * MINUTE);
    expect_current();
}
END_TEST

START_TEST(denied_and_refused)
{
    bool refused = _i == 1;

    w.mood = DENIES;
    if (refused)
        hf_simapi_fail(w.api, 1, 403, 0);
    ck_assert_int_eq(begin(), 0);
    run(2 * MINUTE);
    ck_assert_str_eq(w.in_use, "");
    ck_assert_uint_eq(w.seen, refused ? 0 : 1);
    ck_assert(has_file(DIR "/pending.key") == refused); /* a denied key is of no use any more */
    w.mood = SIGNS;
    run(15 * MINUTE);
    expect_current();
    ck_assert_uint_eq(w.seen, refused ? 1 : 2);
}
END_TEST

/* The server answers 401: the bootstrap credential serves, and a new certificate comes. If the bootstrap credential
 * fails too, the certificate gets another try. */
START_TEST(a_certificate_that_the_server_refuses)
{
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    w.mood = AWAY;
    hf_client_certificate_refused(w.certificate);
    ck_assert_str_eq(w.in_use, "");
    run(MINUTE);
    ck_assert_uint_eq(w.seen, 2);
    hf_client_certificate_refused(w.certificate);
    ck_assert_str_eq(w.in_use, stored());
    w.mood = SIGNS;
    run(10 * MINUTE);
    expect_current();
    ck_assert_uint_eq(w.signed_, 2);
}
END_TEST

/* A hostile server takes each certificate that it has signed, and refuses it at once: few keys and files come of it. */
START_TEST(a_server_that_refuses_every_certificate)
{
    ck_assert_int_eq(begin(), 0);
    for (unsigned minute = 0; minute < 60; minute++) {
        for (unsigned i = 0; i < 12; i++) {
            run(5 * HF_NS_PER_S);
            if (w.in_use[0] != '\0')
                hf_client_certificate_refused(w.certificate);
        }
        hf_client_certificate_check(w.certificate);
    }
    ck_assert_msg(w.seen >= 3 && w.seen <= 14, "%u requests", w.seen);
    run(10 * MINUTE);
    hf_client_certificate_check(w.certificate);
    run(10 * MINUTE);
    expect_current();
}
END_TEST

/* The clock was wrong when the timer was set. */
START_TEST(a_clock_that_was_wrong)
{
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    hf_simproc_set_unix_offset(w.proc, (int64_t)(22 * HOUR));
    hf_client_certificate_check(w.certificate);
    run(MINUTE);
    ck_assert_uint_eq(w.signed_, 2);
}
END_TEST

/* A power cut at every call of the file system, for a first certificate and for a renewal: the file holds the old pair
 * or the new one, and the next process comes to its end with at most one more request. */
START_TEST(a_power_cut_anywhere)
{
    bool renewal = _i == 1, cut = true;
    unsigned n = 0;

    tear_down();
    while (cut) {
        n = (unsigned)hf_walk_next("cuts", n);
        set_up_seed(n);
        ck_assert_int_eq(begin(), 0);
        run(renewal ? MINUTE : 0);
        if (!renewal)
            end(false), hf_simfs_kill(w.fs);
        hf_simfs_stop_at(w.fs, n);
        if (!renewal)
            (void)begin();
        run(20 * HOUR);
        cut = hf_simfs_stopped(w.fs);
        if (w.proc != NULL)
            end(true);
        else
            hf_simfs_power_cut(w.fs, n);
        hf_simfs_stop_at(w.fs, 0);
        (void)stored();
        ck_assert_int_eq(begin(), 0);
        run(10 * MINUTE);
        expect_current();
        ck_assert_uint_le(w.seen, renewal ? 3 : 2);
        tear_down();
    }
    ck_assert_uint_gt(n, 10);
    set_up();
}
END_TEST

/* Reason and message of the condition; the reason "" if there is none. */
static const char *problem(const char **ret_text)
{
    const char *reason = "";
    bool valid = false;

    *ret_text = hf_client_certificate_problem(w.certificate, &valid, &reason);
    if (*ret_text != NULL && valid && strcmp(reason, "ByConfiguration") == 0) /* the usual case of these tests */
        *ret_text = NULL, reason = "";
    ck_assert(*ret_text == NULL || (reason[0] != '\0' && hf_utf8_valid(*ret_text, strlen(*ret_text))));
    return reason;
}

static void expect_problem(const char *reason, const char *part)
{
    const char *text;
    const char *got = problem(&text);

    ck_assert_msg(strcmp(got, reason) == 0 && (part == NULL || strstr(text, part) != NULL), "%s: %s (%s, %s)", got,
                  text != NULL ? text : "", reason, part != NULL ? part : "");
}

/* The agent uses none of these answers, asks again after a pause, and takes the first good one. */
START_TEST(answers_of_a_hostile_signer)
{
    w.mood = ATTACKS;
    w.attack = (enum attack)_i;
    ck_assert_int_eq(begin(), 0);
    run(2 * MINUTE);
    ck_assert_uint_eq(w.uses, 0);
    ck_assert_str_eq(stored(), "");
    ck_assert(!has_file(DIR "/pending.key")); /* the key of this answer is of no use any more */
    expect_problem("Unusable", "kubernetes.io/kube-apiserver-client");
    ck_assert_uint_eq(w.told, 1);
    unsigned before = w.signed_;
    run(2 * MINUTE);
    ck_assert_uint_eq(w.signed_, before); /* a pause of five minutes at least, so few writes */
    w.mood = SIGNS;
    run(15 * MINUTE);
    expect_current();
    expect_problem("", NULL);
    /* The same answers to a renewal leave the pair in use. */
    w.mood = ATTACKS;
    run(20 * HOUR);
    ck_assert_uint_eq(w.uses, 1);
    ck_assert_str_ne(w.in_use, "");
    ck_assert_str_eq(w.in_use, stored());
    expect_problem("Unusable", "is valid until");
}
END_TEST

/* The end of a certificate "without end" is in the year 9999, which is no number of nanoseconds. The agent takes the
 * certificate, and renews it after 30 days at most. */
START_TEST(a_certificate_without_end)
{
    w.no_end = true; /* and the approver looks once a minute, which makes the test shorter */
    ck_assert_int_eq(begin(), 0);
    run(5 * MINUTE);
    expect_current();
    run(16 * 24 * HOUR);
    ck_assert_uint_eq(w.signed_, 1);
    run(8 * 24 * HOUR);
    ck_assert_uint_eq(w.signed_, 2);
    expect_current();
}
END_TEST

static void plant(const char *path, mode_t mode, uid_t uid)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(4096);

    ck_assert_int_eq(hf_certificate_make_key(&key, NULL), 0);
    hf_simfs_put(w.fs, path, key.p, key.n, mode);
    hf_simfs_chown(w.fs, path, uid, 0);
}

/* A user plants the key that the agent is to ask a certificate for, and so would have the node's identity. */
START_TEST(a_planted_key)
{
    static const struct {
        mode_t folder, file;
        uid_t folder_uid, file_uid;
        bool heals; /* the agent replaces the file by its own */
    } rows[] = {{0777, 0600, 0, 0, false},
                {0770, 0600, 0, 0, false},
                {0700, 0600, 1234, 0, false},
                {0700, 0600, 0, 1234, true},
                {0700, 0666, 0, 0, true}};
    _cleanup_(hf_buf_done) struct hf_buf planted = HF_BUF_INIT(4096);
    size_t n;

    hf_simfs_mkdir(w.fs, DIR, rows[_i].folder);
    hf_simfs_chown(w.fs, DIR, rows[_i].folder_uid, 0);
    plant(DIR "/pending.key", rows[_i].file, rows[_i].file_uid);
    const char *bytes = hf_simfs_get(w.fs, DIR "/pending.key", &n);
    ck_assert_int_eq(hf_buf_add(&planted, bytes, n), 0);
    ck_assert_int_eq(begin(), 0);
    run(10 * MINUTE);
    if (rows[_i].heals) {
        expect_current();
    } else {
        ck_assert_uint_eq(w.seen, 0);
        ck_assert_uint_eq(w.uses, 0);
        expect_problem("NotStored", DIR);
    }
    bytes = hf_simfs_get(w.fs, DIR "/client.pem", &n);
    ck_assert(bytes == NULL || memmem(bytes, n, planted.p, planted.n) == NULL);
}
END_TEST

/* The files of another node, copied with its disk, and files that another user can write: not used. */
START_TEST(files_of_somebody_else)
{
    struct stat st;
    size_t n;

    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    end(false);
    if (_i == 0)
        hf_simfs_chown(w.fs, DIR "/client.pem", 1234, 0);
    w.node = _i == 1 ? "n2" : NULL;
    if (_i == 1)
        (void)register_node("n2");
    w.mood = AWAY;
    w.uses = 0;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    ck_assert_uint_eq(w.uses, 0);
    ck_assert_uint_eq(w.seen, 2);
    expect_problem(_i == 0 ? "NotStored" : "Unusable", _i == 0 ? "uid 1234" : "holdfast:agent:n2");
    ck_assert(hf_simfs_stat(w.fs, DIR "/client.pem", &st));
    ck_assert_ptr_nonnull(hf_simfs_get(w.fs, DIR "/client.pem", &n));
}
END_TEST

/* A clock that runs ahead sets the certificate aside. It serves again when the clock is right, although a server that
 * gets no credential answers 403 and not 401. */
START_TEST(a_clock_that_ran_ahead)
{
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    w.mood = AWAY;
    hf_simproc_set_unix_offset(w.proc, (int64_t)(30 * 24 * HOUR));
    hf_client_certificate_check(w.certificate);
    ck_assert_str_eq(w.in_use, "");
    expect_problem("Expired", "expired at");
    hf_simproc_set_unix_offset(w.proc, 0);
    hf_client_certificate_check(w.certificate);
    ck_assert_str_eq(w.in_use, stored());
    expect_problem("", NULL);
}
END_TEST

/* The same after a 401 that was a mistake of the server. */
START_TEST(a_refusal_that_passes)
{
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    w.mood = AWAY;
    hf_simapi_fail(w.api, 1000, 403, 0);
    hf_client_certificate_refused(w.certificate);
    ck_assert_str_eq(w.in_use, "");
    for (int i = 0; i < 8; i++) {
        run(MINUTE);
        hf_client_certificate_check(w.certificate);
    }
    ck_assert_str_eq(w.in_use, stored());
    ck_assert_uint_eq(w.drops, 1);
    expect_problem("NotAllowed", "certificates.enabled=true");
}
END_TEST

/* What the condition says while somebody denies, or nobody answers. */
START_TEST(the_condition)
{
    w.mood = DENIES;
    ck_assert_int_eq(begin(), 0);
    expect_problem("", NULL);
    run(2 * MINUTE);
    expect_problem("Denied", "NodeUnknown: x\u00e4");
    end(false);
    w.mood = AWAY;
    w.told = 0;
    ck_assert_int_eq(begin(), 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(w.told, i < 10 ? 0 : 1);
        run(MINUTE);
        hf_client_certificate_check(w.certificate);
        expect_problem(i < 9 ? "" : "NotIssued", i < 9 ? NULL : "holdfast-controller");
    }
    w.mood = SIGNS;
    run(10 * MINUTE);
    expect_problem("", NULL);
    ck_assert_uint_eq(w.told, 2);
}
END_TEST

/* It names the request that gave the certificate, also while the next one waits, and goes with the renewal. */
START_TEST(the_condition_of_a_way)
{
    char first[HF_CLIENT_CERTIFICATE_TEXT];
    const char *reason = NULL;
    bool valid = false;

    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    (void)snprintf(first, sizeof(first), "%s", hf_client_certificate_problem(w.certificate, &valid, &reason));
    ck_assert(valid && strstr(first, "request holdfast-agent-n1-") != NULL);
    ck_assert_str_eq(reason, "ByConfiguration");
    w.mood = AWAY;
    w.told = 0;
    for (int i = 0; i < 24 * 60 && w.seen < 2; i++)
        run(MINUTE);
    ck_assert_uint_eq(w.seen, 2);
    hf_client_certificate_check(w.certificate);
    ck_assert_str_eq(hf_client_certificate_problem(w.certificate, &valid, &reason), first);
    ck_assert_uint_eq(w.told, 0);
    w.mood = SIGNS;
    run(5 * MINUTE);
    ck_assert_ptr_null(hf_client_certificate_problem(w.certificate, &valid, &reason));
}
END_TEST

/* The Node was deleted and registered again: the cluster no longer accepts what its certificate writes. */
START_TEST(a_node_that_was_replaced)
{
    const char *first = register_node("n1");

    ck_assert_int_eq(begin(), 0);
    hf_client_certificate_node(w.certificate, first);
    run(MINUTE);
    expect_current();
    hf_client_certificate_node(w.certificate, first);
    ck_assert_uint_eq(w.drops, 0);
    const char *second = register_node("n1");
    hf_client_certificate_node(w.certificate, second);
    ck_assert_str_eq(w.in_use, ""); /* the credential of the configuration asks for the next one */
    hf_client_certificate_node(w.certificate, second);
    ck_assert_uint_eq(w.drops, 1);
    run(MINUTE);
    expect_current();
    ck_assert_uint_eq(w.signed_, 2);
    expect_problem("", NULL);
}
END_TEST

/* A server that shows another uid all the time makes the agent ask, and write its disk, once in five minutes. */
START_TEST(a_node_that_changes_all_the_time)
{
    char uid[20];

    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    for (int i = 0; i < 1800; i++) {
        (void)snprintf(uid, sizeof(uid), "other-%d", i);
        hf_client_certificate_node(w.certificate, uid);
        if (i % 60 == 0)
            hf_client_certificate_check(w.certificate);
        run(S);
    }
    ck_assert_uint_ge(w.drops, 5);
    ck_assert_uint_le(w.drops, 7);
    ck_assert_uint_le(w.signed_, 8);
    /* The first one that stays is found, too, without another event. */
    unsigned drops = w.drops;
    hf_client_certificate_node(w.certificate, "last");
    for (int i = 0; i < 6; i++) {
        run(MINUTE);
        hf_client_certificate_check(w.certificate);
    }
    ck_assert_uint_eq(w.drops, drops + 1);
}
END_TEST

/* Nobody asks for a certificate of a Node that is not there. */
START_TEST(a_node_that_is_gone)
{
    w.node = "n2";
    ck_assert_int_eq(begin(), 0);
    run(2 * MINUTE);
    ck_assert_uint_eq(w.seen, 0);
    expect_problem("Denied", "no Node");
}
END_TEST

/* A certificate from before there was the group stays in use, and the agent asks for one with the group when it
 * starts. */
START_TEST(a_certificate_of_the_name_only)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(4096), request = HF_BUF_INIT(8192),
                                         text = HF_BUF_INIT(16384);
    struct hf_certificate_owner owner = {.common_name = "holdfast:agent:n1", .organization = "holdfast:agents"};

    ck_assert_int_eq(hf_certificate_make_key(&key, NULL), 0);
    owner.key_pem = hf_buf_str(&key);
    ck_assert_int_eq(hf_certificate_request(&owner, &request, NULL), 0);
    sign(&request, &text);
    ck_assert_int_eq(hf_buf_add(&text, key.p, key.n), 0);
    hf_simfs_mkdir(w.fs, DIR, 0700);
    hf_simfs_put(w.fs, DIR "/client.pem", text.p, text.n, 0600);
    w.mood = DENIES;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    ck_assert_uint_eq(w.uses, 1);
    ck_assert_str_eq(w.in_use, stored());
    ck_assert_uint_eq(w.seen, 1);
    expect_problem("Denied", "is valid until");
    w.mood = SIGNS;
    run(30 * MINUTE);
    ck_assert_uint_eq(w.uses, 2);
    ck_assert_str_eq(w.in_use, stored());
    ck_assert_uint_eq(w.drops, 0);
    expect_problem("", NULL);
}
END_TEST

/* Long names fit the request, and a folder that cannot be made fails the start. */
START_TEST(requests_of_long_names)
{
    _cleanup_(hf_buf_done) struct hf_buf key = HF_BUF_INIT(4096), request = HF_BUF_INIT(8192);
    struct hf_err err = HF_ERR_INIT;
    struct hf_csr csr;
    char name[280] = "holdfast:agent:";
    char id[HF_SHA256_HEX], other[HF_SHA256_HEX];

    memset(name + strlen(name), 'n', 253);
    ck_assert_int_eq(hf_certificate_make_key(&key, &err), 0);
    struct hf_certificate_owner owner = {hf_buf_str(&key), name, "holdfast:agents",
                                         "7d1f4c1e-2a58-4b6e-9f0a-0c5d3c1b9a11"};
    ck_assert_int_eq(hf_certificate_request(&owner, &request, &err), 0);
    ck_assert_msg(hf_csr_parse(hf_buf_view(&request), &csr, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(csr.common_name, name);
    ck_assert_str_eq(csr.organizations[1], "holdfast:node-uid:7d1f4c1e-2a58-4b6e-9f0a-0c5d3c1b9a11");
    ck_assert_int_eq(hf_certificate_key_id(hf_buf_str(&key), id, &err), 0);
    ck_assert_int_eq(hf_certificate_key_id(hf_buf_str(&key), other, &err), 0);
    ck_assert_str_eq(id, other);
    ck_assert_int_eq(hf_certificate_key_id("-----BEGIN PRIVATE KEY-----\n", id, &err), -EBADMSG);
    owner.key_pem = "nonsense";
    ck_assert_int_eq(hf_certificate_request(&owner, &request, &err), -EBADMSG);
}
END_TEST

static void run_minutes(unsigned minutes)
{
    for (unsigned i = 0; i < minutes; i++) {
        run(MINUTE);
        hf_client_certificate_check(w.certificate);
    }
}

/* The node is off for 60 days: its certificate and its token have expired. By which way does it come back, without a
 * visit? */
static const struct {
    bool token, kubelet, kubelet_good;
    enum hf_way way;
    const char *reason;
} returns[] = {
    {true, true, true, HF_WAY_CONFIGURED, ""}, /* its pod, or a person, wrote a new token */
    {false, true, true, HF_WAY_KUBELET, "ByKubelet"},
    {false, true, false, HF_WAY_NONE, "NotAllowed"}, /* the kubelet's identity has expired, too */
    {false, false, false, HF_WAY_NONE, "NotAllowed"},
};

static void come_back(int row)
{
    hf_simapi_authenticate(w.api, authenticate, NULL);
    w.look_every_ns = 30 * S;
    w.lifetime_ns = 30 * 24 * HOUR;
    w.token_ends_ns = 24 * HOUR;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    expect_current();
    ck_assert_int_eq(w.came_by, HF_WAY_CONFIGURED);
    end(true);
    run(60 * 24 * HOUR);
    w.token_ends_ns = returns[row].token ? UINT64_MAX : w.token_ends_ns;
    w.has_kubelet = returns[row].kubelet;
    w.kubelet_good = returns[row].kubelet_good;
    w.came_by = HF_WAY_NONE;
    ck_assert_int_eq(begin(), 0);
    ck_assert_str_eq(w.in_use, "");
    run(MINUTE);
    hf_client_certificate_check(w.certificate);
    ck_assert_int_eq(w.came_by, returns[row].way);
    ck_assert_int_eq(w.by_kubelet > 0, returns[row].kubelet && !returns[row].token);
    expect_problem(returns[row].reason, NULL);
    if (returns[row].way == HF_WAY_NONE) { /* until somebody enrols it anew: the next try is at most six hours away */
        w.token_ends_ns = UINT64_MAX;
        if (row == 2)
            hf_client_certificate_credential(w.certificate);
        run_minutes(row == 2 ? 1 : 8 * 60);
        ck_assert_int_eq(w.came_by, HF_WAY_CONFIGURED);
    }
    expect_current();
    ck_assert_ptr_null(w.kubelet_kube);
    /* The next one comes by the certificate. */
    run(24 * 24 * HOUR);
    ck_assert_int_eq(w.came_by, HF_WAY_CERTIFICATE);
    expect_problem("", NULL);
}

START_TEST(sixty_days_away)
{
    come_back(_i);
}
END_TEST

static bool has_private_key(void)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(w.fs, DIR "/client.pem", &n);

    ck_assert_ptr_nonnull(bytes);
    return memmem(bytes, n, "PRIVATE KEY", strlen("PRIVATE KEY")) != NULL;
}

/* The key is in a TPM (swtpm) that is off as long as the node. */
START_TEST(sixty_days_away_with_a_tpm)
{
    struct swtpm tpm;

    if (!swtpm_start(&tpm))
        return;
    w.in_tpm = true;
    come_back(_i);
    ck_assert(!has_private_key());
    swtpm_end(&tpm);
}
END_TEST

/* The disk in another machine, within the certificate's lifetime: the copy cannot use what it has. Where the token of
 * the disk has ended and there is no kubelet, it gets nothing. Then the same with one more credential on the disk. */
START_TEST(a_cloned_disk)
{
    struct swtpm tpm;

    if (!swtpm_start(&tpm))
        return;
    hf_simapi_authenticate(w.api, authenticate, NULL);
    w.in_tpm = true;
    w.token_ends_ns = HOUR;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    expect_current();
    end(true);
    run(2 * HOUR);
    swtpm_replace(&tpm);
    w.has_kubelet = w.kubelet_good = _i == 1;
    w.came_by = HF_WAY_NONE;
    w.uses = 0;
    ck_assert_int_eq(begin(), 0);
    run_minutes(30);
    ck_assert_int_eq(w.came_by, _i == 1 ? HF_WAY_KUBELET : HF_WAY_NONE);
    ck_assert_uint_eq(w.uses, _i == 1);
    end(false);
    swtpm_end(&tpm);
}
END_TEST

/* The owner turns the TPM on: the certificate of the file serves until there is one of the TPM; and off again. */
START_TEST(another_place_for_the_key)
{
    struct swtpm tpm;

    if (!swtpm_start(&tpm))
        return;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    end(false);
    w.in_tpm = true;
    w.mood = AWAY;
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    ck_assert_uint_eq(w.uses, 2);
    ck_assert_str_ne(w.in_use, "");
    w.mood = SIGNS;
    run(5 * MINUTE);
    expect_current();
    ck_assert(!has_private_key());
    end(false);
    w.in_tpm = false;
    ck_assert_int_eq(begin(), 0);
    run(5 * MINUTE);
    ck_assert(has_private_key());
    expect_current();
    end(false);
    swtpm_end(&tpm);
}
END_TEST

/* The token's requests are denied, because the Node was deleted and registered again: the kubelet's is for the new
 * one. Each way is tried once before the pause. */
START_TEST(a_denial_leaves_the_other_way)
{
    w.has_kubelet = w.kubelet_good = true;
    w.mood = DENIES;
    hf_simapi_authenticate(w.api, authenticate, NULL);
    ck_assert_int_eq(begin(), 0);
    run(4 * MINUTE);
    ck_assert_uint_eq(w.seen, 2);
    ck_assert_uint_gt(w.by_kubelet, 0);
    expect_problem("Denied", NULL);
    w.mood = SIGNS;
    run(15 * MINUTE);
    expect_current();
    ck_assert_int_eq(w.came_by, HF_WAY_CONFIGURED); /* a new round begins with the first way */
}
END_TEST

/* A server that is away, or answers with its own failure, is no reason to use another identity. */
START_TEST(no_answer_is_no_refusal)
{
    w.has_kubelet = w.kubelet_good = true;
    hf_simapi_authenticate(w.api, authenticate, NULL);
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_REFUSING);
    ck_assert_int_eq(begin(), 0);
    run_minutes(60);
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_UP);
    hf_simapi_fail(w.api, 5, 503, 0);
    run_minutes(60);
    expect_current();
    ck_assert_uint_eq(w.by_kubelet, 0);
}
END_TEST

/* Certificates of two minutes for an hour, and the approver is away a third of the time, for 1 s to 4 min at a time. The
 * node asks the server every second. No request is refused while the certificate in use could have been renewed: a
 * refusal needs an approver that was away, but for some seconds, from the time of the renewal on. */
START_TEST(short_certificates_and_an_approver_that_is_away)
{
    uint64_t here_ns = 0, due_ns = 0, refusals = 0, bad = 0;
    const uint64_t away = (uint64_t[]){1, 10, 20, 30, 60, 240}[_i] * S, slack = 12 * S;

    w.lifetime_ns = 10 * MINUTE; /* the shortest that an API server takes; the signer cuts it */
    w.issue_ns = 2 * MINUTE;
    w.look_every_ns = S;
    w.token_ends_ns = MINUTE;
    w.has_kubelet = w.kubelet_good = true; /* the way back from an outage that is longer than the certificate */
    hf_simapi_authenticate(w.api, authenticate, NULL);
    ck_assert_int_eq(begin(), 0);
    run(30 * S);
    expect_current();
    for (uint64_t t = 0; t < 3600; t++) {
        w.mood = t * S % (3 * away) < away ? AWAY : SIGNS;
        unsigned uses = w.uses;
        run(S);
        if (t % 60 == 59)
            hf_client_certificate_check(w.certificate);
        if (w.uses != uses || due_ns == 0) { /* a new one: its renewal is due at 77 % at the latest */
            due_ns = hf_simloop_now_ns(w.loop) + w.issue_ns * 77 / 100;
            here_ns = 0;
        }
        if (hf_simloop_now_ns(w.loop) >= due_ns && w.mood == SIGNS)
            here_ns += S;
        if (authenticate(NULL, "n1") != 0) {
            refusals++;
            bad += here_ns > slack;
        }
    }
    ck_assert_msg(bad == 0, "away for %ju s at a time: %ju of %ju refusals could have been avoided",
                  (uintmax_t)(away / S), (uintmax_t)bad, (uintmax_t)refusals);
    if (away <= 10 * S)
        ck_assert_uint_eq(refusals, 0);
}
END_TEST

static void make_authority(void)
{
    authority = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(authority);
    /* What OpenSSL looks up for a certificate, and keeps, is there before the tests fork, and they end sooner. */
    set_up();
    ck_assert_int_eq(begin(), 0);
    run(MINUTE);
    expect_current();
    tear_down();
}

static void free_authority(void)
{
    EVP_PKEY_free(authority);
}

static void cases(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_authority, free_authority);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, gets_one_and_renews_it);
    tcase_add_loop_test(tc, an_approver_that_is_away, 0, 2);
    tcase_add_loop_test(tc, denied_and_refused, 0, 2);
    tcase_add_test(tc, a_certificate_that_the_server_refuses);
    tcase_add_test(tc, a_server_that_refuses_every_certificate);
    tcase_add_test(tc, a_clock_that_was_wrong);
    tcase_add_loop_test(tc, a_power_cut_anywhere, 0, 2);
    tcase_add_loop_test(tc, answers_of_a_hostile_signer, 0, ATTACKS_ON_CERTIFICATES);
    tcase_add_test(tc, a_certificate_without_end);
    tcase_add_loop_test(tc, a_planted_key, 0, 5);
    tcase_add_loop_test(tc, files_of_somebody_else, 0, 2);
    tcase_add_test(tc, a_clock_that_ran_ahead);
    tcase_add_test(tc, a_refusal_that_passes);
    tcase_add_test(tc, the_condition);
    tcase_add_test(tc, the_condition_of_a_way);
    tcase_add_test(tc, a_node_that_was_replaced);
    tcase_add_test(tc, a_node_that_changes_all_the_time);
    tcase_add_test(tc, a_node_that_is_gone);
    tcase_add_test(tc, a_certificate_of_the_name_only);
    tcase_add_test(tc, requests_of_long_names);
    tcase_add_loop_test(tc, sixty_days_away, 0, HF_LEN(returns));
    tcase_add_loop_test(tc, sixty_days_away_with_a_tpm, 0, HF_LEN(returns));
    tcase_add_loop_test(tc, a_cloned_disk, 0, 2);
    tcase_add_test(tc, another_place_for_the_key);
    tcase_add_test(tc, a_denial_leaves_the_other_way);
    tcase_add_test(tc, no_answer_is_no_refusal);
    tcase_add_loop_test(tc, short_certificates_and_an_approver_that_is_away, 0, 6);
}

HF_TEST_MAIN("agent/client_certificate", cases)
