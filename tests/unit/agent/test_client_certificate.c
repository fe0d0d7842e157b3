/* A client certificate in virtual time: a simulated API server, an approver that is away, says no, or signs; a disk
 * that loses power at any call. */
#include "agent/process/client_certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simfs.h"
#include "trust/certificate.h"
#include "trust/csr_parse.h"

#define S HF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DIR "/var/lib/holdfast/certificate"

enum mood { SIGNS, AWAY, DENIES };

static EVP_PKEY *authority;

static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simfs *fs;
    enum mood mood;
    uint64_t lifetime_ns;
    unsigned seen, signed_; /* requests that the approver found, and signed */
    /* one life */
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_client_certificate *certificate;
    unsigned uses, drops;  /* calls of `use` */
    char in_use[64 << 10]; /* PEM; "" the bootstrap credential */
} w;

/* ---- the cluster ------------------------------------------------------------------------------------------------- */

static void expect_request(const struct hf_buf *pem, const json_t *object)
{
    struct hf_csr csr;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_csr_parse(hf_buf_view(pem), &csr, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(csr.common_name, "holdfast:agent:n1");
    ck_assert_str_eq(csr.organization, "holdfast:agents");
    ck_assert_int_eq(csr.key, HF_CSR_KEY_P256);
    ck_assert_str_eq(hf_json_str(object, "spec.signerName"), "kubernetes.io/kube-apiserver-client");
    ck_assert_int_eq(hf_json_int_or(object, "spec.expirationSeconds", 0), (int64_t)(w.lifetime_ns / S));
    ck_assert_uint_eq(json_array_size(hf_json_at(object, "spec.usages")), 2);
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
    (void)ASN1_TIME_set(X509_getm_notAfter(certificate), now + (time_t)(w.lifetime_ns / S));
    (void)X509_set_pubkey(certificate, X509_REQ_get0_pubkey(request));
    ck_assert(X509_sign(certificate, authority, EVP_sha256()) > 0);
    ck_assert(PEM_write_bio_X509(text, certificate) == 1);
    long n = BIO_get_mem_data(text, &bytes);
    ck_assert_int_eq(hf_buf_add(out, bytes, (size_t)n), 0);
    (void)BIO_free(in);
    (void)BIO_free(text);
    X509_REQ_free(request);
    X509_free(certificate);
}

static void answer(json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf request = HF_BUF_INIT(65536), certificate = HF_BUF_INIT(65536),
                                         text = HF_BUF_INIT(65536);
    json_t *copy = json_deep_copy(object);

    ck_assert_int_eq(hf_base64_decode(hf_view_of(hf_json_str_or(object, "spec.request", "")), &request), 0);
    expect_request(&request, object);
    if (w.mood == DENIES) {
        ck_assert_int_eq(hf_json_put(copy, "status.conditions",
                                     json_pack("[{s:s, s:s}]", "type", "Denied", "reason", "NodeUnknown")),
                         0);
    } else {
        sign(&request, &certificate);
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
    hf_simloop_post(w.loop, 3 * S, approve, arg);
}

/* ---- a life ------------------------------------------------------------------------------------------------------ */

static int use(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err)
{
    struct hf_certificate_dates dates;

    (void)arg;
    if (certificate_pem != NULL)
        ck_assert_int_eq(hf_certificate_read(certificate_pem, key_pem, &dates, err), 0);
    w.uses += certificate_pem != NULL;
    w.drops += certificate_pem == NULL;
    (void)snprintf(w.in_use, sizeof(w.in_use), "%s", certificate_pem != NULL ? certificate_pem : "");
    return 0;
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
                                        .clock = hf_simproc_clock(w.proc),
                                        .rng = hf_simproc_rand(w.proc),
                                        .sched = hf_simproc_sched(w.proc),
                                        .http = hf_simclient_ops(w.client)};
    w.kube = hf_kube_new(&kube, &err);
    const struct hf_client_certificate_params params = {.fs = hf_simfs_ops(w.fs),
                                                        .clock = hf_simproc_clock(w.proc),
                                                        .rng = hf_simproc_rand(w.proc),
                                                        .sched = hf_simproc_sched(w.proc),
                                                        .kube = w.kube,
                                                        .node_name = "n1",
                                                        .dir = DIR,
                                                        .lifetime_ns = w.lifetime_ns,
                                                        .use = use};
    return hf_client_certificate_new(&params, &w.certificate, &err);
}

static void end(bool power_cut)
{
    hf_client_certificate_free(w.certificate);
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

static void set_up_seed(uint64_t seed)
{
    w = (struct world){.lifetime_ns = 24 * HOUR};
    w.loop = hf_simloop_new(seed);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
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
    char *key = strstr(text, "-----BEGIN PRIVATE KEY-----");
    struct hf_certificate_dates dates;
    if (text[0] != '\0') /* never half of it */
        ck_assert(key != NULL && hf_certificate_read(text, key, &dates, NULL) == 0);
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
        set_up_seed(++n);
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
    ck_assert_int_eq(hf_certificate_request(hf_buf_str(&key), name, "holdfast:agents", &request, &err), 0);
    ck_assert_msg(hf_csr_parse(hf_buf_view(&request), &csr, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(csr.common_name, name);
    ck_assert_int_eq(hf_certificate_key_id(hf_buf_str(&key), id, &err), 0);
    ck_assert_int_eq(hf_certificate_key_id(hf_buf_str(&key), other, &err), 0);
    ck_assert_str_eq(id, other);
    ck_assert_int_eq(hf_certificate_key_id("-----BEGIN PRIVATE KEY-----\n", id, &err), -EBADMSG);
    ck_assert_int_eq(hf_certificate_request("nonsense", "a", "b", &request, &err), -EBADMSG);
}
END_TEST

static void make_authority(void)
{
    authority = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(authority);
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
    tcase_add_test(tc, a_clock_that_was_wrong);
    tcase_add_loop_test(tc, a_power_cut_anywhere, 0, 2);
    tcase_add_test(tc, requests_of_long_names);
}

HF_TEST_MAIN("agent/client_certificate", cases)
