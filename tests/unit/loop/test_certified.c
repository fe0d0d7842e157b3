/* SPDX-License-Identifier: Apache-2.0 */
/* A server for agents and a client of agents: who is let in, what a file's bytes are, and what bounds there are. */
#include "http_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "loop/server/certified.h"
#include "support/loop_for.h"
#include "support/makers/certs.h"

#define DAY_S (24l * 3600)
#define MS HF_NS_PER_MS

enum { SIZE = 1 << 20 };

static struct hf_test_cert ca, other_ca, server_cert, client_cert;
static struct hf_certified *files;
static int file = -1;
static unsigned char *content;
static struct {
    unsigned asked, refused[HF_CERTIFIED_REFUSALS];
    size_t sent;
    char node[HF_HTTP_NODE], met[HF_HTTP_NODE], host[64], head[HF_CERTIFIED_HEAD];
    char all[256]; /* every meeting */
    bool turn_away;
} seen;

static bool admits(void *arg, const struct sockaddr_storage *from)
{
    (void)arg;
    ck_assert_int_eq(from->ss_family, AF_INET);
    return !seen.turn_away;
}

static void asked(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer)
{
    (void)arg;
    seen.asked++;
    (void)snprintf(seen.node, sizeof(seen.node), "%s", request->node);
    (void)snprintf(seen.head, sizeof(seen.head), "%.*s", (int)request->head.n, request->head.p);
    ret_answer->fd = file;
    ret_answer->at = 7;
    ret_answer->n = SIZE - 7;
    (void)snprintf(ret_answer->head, sizeof(ret_answer->head),
                   "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", SIZE - 7);
}

static void refused(void *arg, enum hf_certified_refusal why)
{
    (void)arg;
    seen.refused[why]++;
    ck_assert_ptr_nonnull(hf_certified_refusal_name(why));
}

static void sent(void *arg, size_t bytes)
{
    (void)arg;
    seen.sent += bytes;
}

static void met(void *arg, const char *host, const char *node)
{
    (void)arg;
    (void)snprintf(seen.host, sizeof(seen.host), "%s", host);
    (void)snprintf(seen.met, sizeof(seen.met), "%s", node);
    size_t n = strlen(seen.all);
    (void)snprintf(seen.all + n, sizeof(seen.all) - n, "%s=%s;", host, node);
}

static const struct hf_http_agents agents = {.met = met};

static struct hf_http_config identity_of(const struct hf_test_cert *cert)
{
    return (struct hf_http_config){.ca_pem = ca.cert_pem,
                                   .client_cert_pem = cert->cert_pem,
                                   .client_key_pem = cert->key_pem,
                                   .agents = &agents,
                                   .no_proxy = true};
}

static void make(struct hf_test_cert *cert, const char *name, const char *group, const struct hf_test_cert *issuer)
{
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = name,
                                                  .group = group,
                                                  .from_s = -DAY_S,
                                                  .until_s = DAY_S,
                                                  .authority = issuer == NULL,
                                                  .issuer = issuer},
                      cert);
}

static void serve_at(const char *address, uint64_t bytes_per_s)
{
    const struct hf_certified_params params = {.address = address,
                                               .bytes_per_s = bytes_per_s,
                                               .admits = admits,
                                               .asked = asked,
                                               .refused = refused,
                                               .sent = sent};
    const struct hf_http_config config = identity_of(&server_cert);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_certified_new(loop, &params, &config, &files, &err) == 0, "%s", err.cause);
}

static void serve(uint64_t bytes_per_s)
{
    serve_at("127.0.0.1", bytes_per_s);
}

static void set_up(void)
{
    char path[] = "/tmp/hf-certified-XXXXXX";

    memset(&seen, 0, sizeof(seen));
    make(&ca, "client-ca", NULL, NULL);
    make(&other_ca, "client-ca", NULL, NULL);
    make(&server_cert, "holdfast:agent:node-1", "holdfast:agents", &ca);
    content = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(i * 31 >> 3);
    file = mkstemp(path);
    ck_assert_int_eq((int)write(file, content, SIZE), SIZE);
    (void)unlink(path);
    loop = hf_loop_new(NULL);
}

static void tear_down(void)
{
    hf_http_client_free(client);
    client = NULL;
    hf_certified_free(files);
    files = NULL;
    hf_loop_free(loop);
    hf_test_cert_done(&ca);
    hf_test_cert_done(&other_ca);
    hf_test_cert_done(&server_cert);
    hf_test_cert_done(&client_cert);
    free(content);
    (void)close(file);
}

static void fetch(struct outcome *o, const struct hf_http_config *config)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", hf_certified_port(files));
    use(config);
    ask(o, (struct hf_http_request){.url = url, .timeout_ns = 20 * HF_NS_PER_S}, NULL);
}

START_TEST(file_and_names)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    make(&client_cert, "holdfast:agent:node-2.example", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    serve(64 << 20);
    fetch(&o, &config);
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.body_n, SIZE - 7);
    ck_assert_mem_eq(o.body, content + 7, SIZE - 7);
    ck_assert_str_eq(seen.node, "node-2.example");
    ck_assert_str_eq(seen.met, "node-1");
    ck_assert_str_eq(seen.host, "127.0.0.1");
    ck_assert_uint_eq(seen.sent, SIZE - 7);
    ck_assert_ptr_nonnull(strstr(seen.head, "GET /x HTTP/1.1\r\n"));
}
END_TEST

/* Handshakes with two agents at a time: each address gets the name of the agent that is there. */
START_TEST(names_of_two_at_once)
{
    _cleanup_(outcome_done) struct outcome a = {.done = 0};
    _cleanup_(outcome_done) struct outcome b = {.done = 0};
    struct hf_certified *first;
    char urls[2][64];
    int left = 2;

    make(&client_cert, "holdfast:agent:node-3", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    serve_at("127.0.0.1", 64 << 20);
    first = files;
    hf_test_cert_done(&server_cert);
    make(&server_cert, "holdfast:agent:node-2", "holdfast:agents", &ca);
    serve_at("127.0.0.2", 64 << 20);
    (void)snprintf(urls[0], sizeof(urls[0]), "https://127.0.0.1:%u/x", hf_certified_port(first));
    (void)snprintf(urls[1], sizeof(urls[1]), "https://127.0.0.2:%u/x", hf_certified_port(files));
    use(&config);
    a.left = b.left = &left;
    dispatch(&a, (struct hf_http_request){.url = urls[0]});
    dispatch(&b, (struct hf_http_request){.url = urls[1]});
    hf_loop_run(loop);
    ck_outcome(a, 0, 200);
    ck_outcome(b, 0, 200);
    ck_assert_ptr_nonnull(strstr(seen.all, "127.0.0.1=node-1;"));
    ck_assert_ptr_nonnull(strstr(seen.all, "127.0.0.2=node-2;"));
    hf_certified_free(first);
}
END_TEST

/* Who is not an agent of this cluster gets nothing, and is not believed. */
static const struct {
    const char *name, *group;
    bool other; /* of another authority */
} strangers[] = {
    {"holdfast:agent:node-2", "holdfast:agents", true}, {"holdfast:agent:node-2", "system:nodes", false},
    {"system:node:node-2", "holdfast:agents", false},   {"holdfast:agent:", "holdfast:agents", false},
    {"holdfast:agent:No/de", "holdfast:agents", false}, {"holdfast:agent:node-2", "holdfast:agentsx", false},
};

START_TEST(stranger_asks)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    make(&client_cert, strangers[_i].name, strangers[_i].group, strangers[_i].other ? &other_ca : &ca);
    struct hf_http_config config = identity_of(&client_cert);
    serve(64 << 20);
    fetch(&o, &config);
    ck_assert_int_lt(o.r, 0);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_uint_eq(seen.sent, 0);
    ck_assert_uint_eq(seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE], 1);
}
END_TEST

START_TEST(stranger_answers)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    make(&client_cert, "holdfast:agent:node-2", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    hf_test_cert_done(&server_cert);
    make(&server_cert, strangers[_i].name, strangers[_i].group, strangers[_i].other ? &other_ca : &ca);
    serve(64 << 20);
    fetch(&o, &config);
    ck_assert_int_eq(o.r, -EKEYREJECTED);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_str_eq(seen.met, "");
}
END_TEST

/* A key with the public part of `cert`, which is all that OpenSSL compares, and another private part. */
static char *forge_key(const struct hf_test_cert *cert, const struct hf_test_cert *other)
{
    const struct hf_test_cert *both[] = {cert, other};
    unsigned char *der[2] = {NULL, NULL};
    enum { AT = 7, SCALAR = 32 }; /* SEC 1: SEQUENCE, INTEGER 1, OCTET STRING */
    long n = 0;

    for (size_t i = 0; i < HF_LEN(both); i++) {
        BIO *bio = BIO_new_mem_buf(both[i]->key_pem, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        n = i2d_PrivateKey(key, &der[i]);
        ck_assert_int_gt(n, AT + SCALAR);
        EVP_PKEY_free(key);
        BIO_free(bio);
    }
    memcpy(der[0] + AT, der[1] + AT, SCALAR);
    const unsigned char *at = der[0];
    EVP_PKEY *forged = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, n);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, forged, NULL, NULL, 0, NULL, NULL), 1);
    long length = BIO_get_mem_data(bio, &text);
    char *pem = strndup(text, (size_t)length);
    BIO_free(bio);
    EVP_PKEY_free(forged);
    OPENSSL_free(der[0]);
    OPENSSL_free(der[1]);
    return pem;
}

/* Whoever has seen a certificate can show it: without its key that counts under nobody's name. */
START_TEST(certificate_of_another)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};
    char *own = server_cert.key_pem;

    make(&client_cert, "holdfast:agent:node-2", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    server_cert.key_pem = forge_key(&server_cert, &client_cert);
    free(own);
    serve(64 << 20);
    fetch(&o, &config);
    ck_assert_int_lt(o.r, 0);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_str_eq(seen.all, "");
}
END_TEST

START_TEST(no_certificate)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};
    struct hf_http_config config = {.ca_pem = ca.cert_pem, .agents = &agents, .no_proxy = true};

    serve(64 << 20);
    fetch(&o, &config);
    ck_assert_int_lt(o.r, 0);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_uint_eq(seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE], 1);
}
END_TEST

START_TEST(other_subnet)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    make(&client_cert, "holdfast:agent:node-2", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    serve(64 << 20);
    seen.turn_away = true;
    fetch(&o, &config);
    ck_assert_int_lt(o.r, 0);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_uint_eq(seen.refused[HF_CERTIFIED_REFUSED_ADDRESS], 1);
}
END_TEST

START_TEST(shared_limit)
{
    _cleanup_(outcome_done) struct outcome a = {.done = 0};
    _cleanup_(outcome_done) struct outcome b = {.done = 0};
    char url[64];
    int left = 2;

    make(&client_cert, "holdfast:agent:node-2", "holdfast:agents", &ca);
    struct hf_http_config config = identity_of(&client_cert);
    serve(SIZE);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", hf_certified_port(files));
    use(&config);
    a.left = b.left = &left;
    dispatch(&a, (struct hf_http_request){.url = url});
    dispatch(&b, (struct hf_http_request){.url = url});
    hf_loop_run(loop);
    ck_outcome(a, 0, 200);
    ck_outcome(b, 0, 200);
    /* two megabytes at one a second; a quarter of one may be there at once */
    ck_assert_uint_ge(HF_MAX(a.took_ns, b.took_ns), 1600 * MS);
    ck_assert_uint_ge(HF_MIN(a.took_ns, b.took_ns), 1000 * MS); /* and neither had it alone */
    ck_assert_mem_eq(a.body, b.body, SIZE - 7);
}
END_TEST

static int connect_raw(void)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(hf_certified_port(files)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

START_TEST(places_of_an_address)
{
    int fds[HF_CERTIFIED_OF_ADDRESS + 3];
    char byte;

    serve(64 << 20);
    for (size_t i = 0; i < HF_LEN(fds); i++)
        fds[i] = connect_raw();
    loop_wait_for(loop, seen.refused[HF_CERTIFIED_REFUSED_FULL] >= 3);
    loop_run_for(loop, 20 * MS);
    ck_assert_uint_eq(seen.refused[HF_CERTIFIED_REFUSED_FULL], 3);
    for (size_t i = 0; i < HF_LEN(fds); i++) {
        bool kept = recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
        ck_assert_int_eq(kept, i < HF_CERTIFIED_OF_ADDRESS);
        (void)close(fds[i]);
    }
    loop_wait_for(loop, seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE] == HF_CERTIFIED_OF_ADDRESS);
}
END_TEST

/* However fast others connect, so many handshakes a second begin. */
START_TEST(flood)
{
    uint64_t began_ns = test_now_ns();

    serve(64 << 20);
    for (unsigned i = 0; i < 4 * HF_CERTIFIED_PER_S; i++) {
        (void)close(connect_raw());
        loop_run_for(loop, MS / 2);
    }
    ck_assert(
        loop_run_until(loop, seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE] + seen.refused[HF_CERTIFIED_REFUSED_FULL] ==
                                 4 * HF_CERTIFIED_PER_S));
    uint64_t most = HF_CERTIFIED_PER_S + HF_CERTIFIED_PER_S * (test_now_ns() - began_ns) / HF_NS_PER_S + 1;
    ck_assert_uint_le(seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE], most);
}
END_TEST

/* The listener stays readable while nobody can be accepted. */
START_TEST(no_descriptor)
{
    struct rlimit before, none;
    struct rusage from, to;

    serve(64 << 20);
    int fd = connect_raw(), next = dup(fd);
    (void)close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    (void)getrusage(RUSAGE_SELF, &from);
    loop_run_for(loop, 500 * MS);
    (void)getrusage(RUSAGE_SELF, &to);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    /* a loop that spins has a turn each few microseconds, and is preempted or not: count what it used */
    int64_t used_us =
        (to.ru_utime.tv_sec - from.ru_utime.tv_sec + to.ru_stime.tv_sec - from.ru_stime.tv_sec) * 1000000l +
        to.ru_utime.tv_usec - from.ru_utime.tv_usec + to.ru_stime.tv_usec - from.ru_stime.tv_usec;
    ck_assert_int_lt(used_us, 50000);
    (void)close(fd);
    loop_wait_for(loop, seen.refused[HF_CERTIFIED_REFUSED_CERTIFICATE] == 1); /* it was let in after all */
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, file_and_names);
    tcase_add_test(tc, names_of_two_at_once);
    tcase_add_loop_test(tc, stranger_asks, 0, (int)HF_LEN(strangers));
    tcase_add_loop_test(tc, stranger_answers, 0, (int)HF_LEN(strangers));
    tcase_add_test(tc, certificate_of_another);
    tcase_add_test(tc, no_certificate);
    tcase_add_test(tc, other_subnet);
    tcase_add_test(tc, shared_limit);
    tcase_add_test(tc, places_of_an_address);
    tcase_add_test(tc, flood);
    tcase_add_test(tc, no_descriptor);
}

HF_TEST_MAIN("loop/certified", cases)
