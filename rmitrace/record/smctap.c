// SPDX-License-Identifier: Apache-2.0
/*
 * smctap: hardware breakpoints at SMC instructions, through perf_event_open, for targets that have neither perf nor Python.
 *
 *   smctap find ADDR:SIZE...        look for SMC instructions in kernel code (/proc/kcore); prints a line for each:
 *       "ADDR OFFSET ADDR+OFFSET BACK FIX...", hex. BACK bytes in front of it is an instruction where a probe finds the
 *       arguments in registers, but for those that a FIX names ("0=\\0xc4000150", "1=%x20": what x0 and x1 will be); 0: nowhere
 *   smctap watch FOLDER PAGE ENTER EXIT ADDR...
 *       a breakpoint in front of each address (an SMC) and one behind it on every CPU, CPUs that come online later too. Writes
 *       FOLDER/cpuN, ring-buffer pages of PAGE bytes as ftrace has them, of two events with the ids ENTER and EXIT (see record() below;
 *       their formats are in the script that runs this), and FOLDER/cmdlines. Says "ready" on stdout; ends when its
 *       standard input does.
 *
 * Times are CLOCK_MONOTONIC in ns. Freestanding: no library, static, aarch64 Linux only. How it is built: see Makefile.
 */
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/time.h>
#include <asm/unistd.h>

typedef __u64 u64;
typedef __u32 u32;
typedef __u16 u16;

#define AT_FDCWD (-100)
#define AT_PAGESZ 6
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_CLOEXEC 02000000
#define SMC 0xd4000003u	/* smc #0 */
#define MAX_CPUS 1024
#define MAX_SITES 8
#define MAX_TASKS 8192	/* slots of a table by pid */
#define NREGS 18
#define LR 30
#define COMM 16
#define LATE 2000000ul	/* ns that a hit may take until it stands in its ring */

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#define C1(n, a) call(__NR_##n, (long)(a), 0, 0, 0, 0, 0)
#define C3(n, a, b, c) call(__NR_##n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define C4(n, a, b, c, d) call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define C5(n, a, b, c, d, e) call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define C6(n, a, b, c, d, e, f) call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *to, int c, unsigned long n)
{
	volatile char *p = to;

	while (n--)
		*p++ = (char)c;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	volatile char *p = to;
	const char *q = from;

	while (n--)
		*p++ = *q++;
	return to;
}

static unsigned long length(const char *s)
{
	unsigned long n = 0;

	while (s[n])
		n++;
	return n;
}

static void put(int fd, const char *s)
{
	C3(write, fd, s, length(s));
}

static void put_number(int fd, u64 v, unsigned base)
{
	char text[24], *p = text + sizeof(text);

	*--p = 0;
	do
		*--p = "0123456789abcdef"[v % base];
	while (v /= base);
	put(fd, p);
}

static int open_file(const char *path, int flags)
{
	return (int)C4(openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static const char *hex(const char *s, u64 *v)
{
	*v = 0;
	if (s[0] == '0' && s[1] == 'x')
		s += 2;
	for (;; s++) {
		unsigned c = (unsigned char)*s, d = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : 16;

		if (d == 16)
			return s;
		*v = *v << 4 | d;
	}
}

static unsigned decimal(const char **s)
{
	unsigned v = 0;

	for (; **s >= '0' && **s <= '9' && v < 100000000; ++*s)
		v = v * 10 + (unsigned)(**s - '0');
	return v;
}

static void complain(const char *what, u64 number, unsigned base, const char *rest, long err)
{
	put(2, what);
	put_number(2, number, base);
	put(2, rest);
	if (err)
		put_number(2, (u64)-err, 10);
	put(2, "\n");
}

/* find */

struct value {	/* what a register will hold: a number, or what another one holds now */
	char kind;	/* 'r' register, 'w' its low half, 'c' number */
	u64 v;
};

/* Follow one instruction, as far as it only moves numbers and registers; 0 where it does more (Arm ARM C6.2, A64). */
static int follow_one(u32 w, struct value *x)
{
	unsigned d = w & 31, m = w >> 16 & 31, shift = (w >> 21 & 3) * 16;
	u64 imm = (u64)(w >> 5 & 0xffff) << shift;
	int wide = (int)(w >> 31);

	switch (w & 0x7f800000) {
	case 0x52800000:	/* MOVZ */
		x[d] = (struct value){ 'c', imm };
		return d != 31;
	case 0x12800000:	/* MOVN */
		x[d] = (struct value){ 'c', wide ? ~imm : (u32)~imm };
		return d != 31;
	case 0x72800000:	/* MOVK */
		if (x[d].kind != 'c' || d == 31)
			return 0;
		x[d].v = (x[d].v & ~(0xfffful << shift)) | imm;
		return 1;
	}
	if ((w & 0x7fe0ffe0) == 0x2a0003e0) {	/* MOV (register): ORR Rd, ZR, Rm */
		if (d == 31)
			return 1;
		x[d] = m == 31 ? (struct value){ 'c', 0 } : x[m];
		if (!wide && x[d].kind == 'r')
			x[d].kind = 'w';
		if (!wide && x[d].kind == 'c')
			x[d].v = (u32)x[d].v;
		return 1;
	}
	return (w & 0xfffff01f) == 0xd503201f	/* hints: NOP, BTI, PACIASP */
		|| (w & 0xbfc00000) == 0xb9000000	/* STR (unsigned offset) */
		|| (w & 0x7fc00000) == 0x29000000;	/* STP (signed offset) */
}

/* Print BACK and the FIXes of an SMC with ``before`` known instructions in front of it. */
static void print_arguments(const u32 *smc, long before)
{
	static struct value x[32];

	for (long back = 1; back <= 8 && back <= before; back++) {
		int good = 1;

		for (unsigned r = 0; r < 32; r++)
			x[r] = (struct value){ 'r', r };
		for (long i = back; i > 0 && good; i--)
			good = follow_one(smc[-i], x);
		if (!good)
			continue;
		put_number(1, (u64)back * 4, 16);
		for (unsigned r = 0; r < NREGS; r++) {
			if (x[r].kind == 'r' && x[r].v == r)
				continue;
			put(1, " ");
			put_number(1, r, 10);
			put(1, x[r].kind == 'c' ? "=\\0x" : "=%x");
			put_number(1, x[r].v, x[r].kind == 'c' ? 16 : 10);
			put(1, x[r].kind == 'w' ? ":x32" : ":x64");
		}
		return;
	}
	put(1, "0");
}

/* Read the kernel's code at an address: bytes, or an error. */
static long read_code(int kcore, u64 addr, void *to, u64 size)
{
	static Elf64_Ehdr head;

	if (C4(pread64, kcore, &head, sizeof(head), 0) != sizeof(head) || head.e_phentsize != sizeof(Elf64_Phdr))
		return -EIO;
	for (int i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr seg;

		if (C4(pread64, kcore, &seg, sizeof(seg), head.e_phoff + (u64)i * sizeof(seg)) != sizeof(seg))
			return -EIO;
		if (seg.p_type == PT_LOAD && addr >= seg.p_vaddr && addr - seg.p_vaddr < seg.p_memsz)
			return C4(pread64, kcore, to, size, seg.p_offset + (addr - seg.p_vaddr));
	}
	return -EFAULT;
}

static int find_in(int kcore, u64 addr, u64 size)
{
	static u32 words[1024];
	u64 done = 0;

	while (done < size) {
		long got = read_code(kcore, addr + done, words, size - done < sizeof(words) ? size - done : sizeof(words));

		if (got < 4)
			return 1;
		for (long w = 0; w < got / 4; w++) {
			if (words[w] != SMC)
				continue;
			put_number(1, addr, 16);
			put(1, " ");
			put_number(1, done + (u64)w * 4, 16);
			put(1, " ");
			put_number(1, addr + done + (u64)w * 4, 16);
			put(1, " ");
			print_arguments(&words[w], w);
			put(1, "\n");
		}
		done += (u64)got & ~3ul;
	}
	return 0;
}

static int find(char **args)
{
	int kcore = open_file("/proc/kcore", 0), bad = 0;

	if (kcore < 0) {
		complain("smctap: /proc/kcore cannot be opened, error ", (u64)-kcore, 10, "", 0);
		return 1;
	}
	for (; *args; args++) {
		u64 addr, size;
		const char *rest = hex(*args, &addr);

		if (*rest++ != ':' || *hex(rest, &size) || size > 1 << 26)
			return 2;
		if (find_in(kcore, addr, size)) {
			complain("smctap: no code of the kernel at ", addr, 16, " in /proc/kcore", 0);
			bad = 1;
		}
	}
	return bad;
}

/* watch */

struct sample {	/* what PERF_RECORD_SAMPLE holds for sample_type below */
	struct perf_event_header header;
	u64 ip;
	u32 pid, tid;
	u64 time;
	u32 cpu, zero;
	u64 abi, regs[NREGS + 1];	/* x0..x17, lr */
};

struct event {	/* a ring-buffer event; type_len 0: its length, this word's own 4 bytes included, is in ``size`` */
	u32 word, size;
	u16 type;
	unsigned char flags, preempt;
	u32 pid;
	u64 ip, regs[NREGS + 1];
} __attribute__((packed));

struct hit {	/* the last one of a task */
	u64 ip, regs[NREGS], losses;
};

struct cpu {
	int fds[2 * MAX_SITES], out, armed;
	struct perf_event_mmap_page *ring;
	unsigned char *page;	/* the page being filled: u64 time, u64 bytes used, events */
	u64 used, last, lost;
	struct hit before;	/* of the idle task, which is another one on each CPU */
};

struct task {
	u32 tid, parent;
	int written;
	char comm[COMM];
	struct hit before;
};

static struct cpu cpus[MAX_CPUS];
static struct task tasks[MAX_TASKS];
static struct pollfd polls[MAX_CPUS + 1];
static u64 sites[MAX_SITES], fronts[MAX_SITES], page_size = 4096 /* of memory */, out_size /* of what is written */, ring_size, doubled, total, lost_total, losses;
static int nsites, most = -1, names = -1, folder_length;
static u16 enter_id, exit_id;
static char path[4096];

static void flush(struct cpu *c)
{
	u64 used = c->used, done = 0;

	if (!used && !c->lost)
		return;
	if (c->lost) {	/* lost before this page: bit 31; the count stands behind the events: bit 30 */
		used |= 1ul << 31;
		if (out_size - 16 - c->used >= 8) {
			used |= 1ul << 30;
			memcpy(c->page + 16 + c->used, &c->lost, 8);
		}
		c->lost = 0;
	}
	if (!c->used)	/* nothing behind what was lost */
		memcpy(c->page, &c->last, 8);
	memcpy(c->page + 8, &used, 8);
	while (done < out_size) {
		long n = C3(write, c->out, c->page + done, out_size - done);

		if (n <= 0) {
			complain("smctap: cannot write, error ", (u64)-n, 10, "; what follows is lost", 0);
			break;
		}
		done += (u64)n;
	}
	c->used = 0;
	memset(c->page, 0, out_size);
}

/*
 * One event: s at the time of the sample, x0..x17 and lr as 64-bit numbers behind __probe_ip. Of an entry (of which enter is the
 * address of the SMC) x16 and x17 may be those of before, see front_of().
 */
static void record(struct cpu *c, const struct sample *s, u64 enter)
{
	struct event e;
	u32 extend[2];
	u64 delta;

	if (c->used && c->used + sizeof(e) + sizeof(extend) > out_size - 16)
		flush(c);
	if (!c->used) {
		memcpy(c->page, &s->time, 8);
		c->last = s->time;
	}
	delta = s->time > c->last ? s->time - c->last : 0;
	if (delta >> 27) {
		extend[0] = 30 | (u32)(delta & 0x7ffffff) << 5;
		extend[1] = (u32)(delta >> 27);
		memcpy(c->page + 16 + c->used, extend, sizeof(extend));
		c->used += sizeof(extend);
		delta = 0;
	}
	if (s->time > c->last)
		c->last = s->time;
	e.word = (u32)delta << 5;
	e.size = sizeof(e) - 4;
	e.type = enter ? enter_id : exit_id;
	e.flags = e.preempt = 0;
	e.pid = s->tid;
	e.ip = enter ? enter : s->ip;
	memcpy(e.regs, s->regs, sizeof(e.regs));
	memcpy(c->page + 16 + c->used, &e, sizeof(e));
	c->used += sizeof(e);
	total++;
}

static int read_comm(u32 tid, char *comm)
{
	char name[40] = "/proc/", digits[12], *p = digits + sizeof(digits);
	u32 v = tid;
	long n;
	int fd;

	*--p = 0;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(name + 6, p, length(p) + 1);
	memcpy(name + 6 + length(p), "/comm", 6);
	fd = open_file(name, 0);
	if (fd < 0)
		return 0;
	n = C3(read, fd, comm, COMM - 1);
	C1(close, fd);
	if (n <= 0)
		return 0;
	comm[n] = 0;
	if (comm[n - 1] == '\n')
		comm[n - 1] = 0;
	return 1;
}

static struct task *task_of(u32 tid)
{
	struct task *t = &tasks[tid % MAX_TASKS];

	if (t->tid != tid) {
		memset(t, 0, sizeof(*t));
		t->tid = tid;
	}
	return t;
}

/* Write "TID COMM" once for a task that made a call, and again when its name changes. */
static void name_task(u32 tid)
{
	struct task *t = task_of(tid);

	if (!tid || t->written)
		return;
	if (!t->comm[0] && !read_comm(tid, t->comm)) {
		struct task *parent = &tasks[t->parent % MAX_TASKS];

		if (!t->parent || parent->tid != t->parent || !parent->comm[0])
			return;
		memcpy(t->comm, parent->comm, COMM);
	}
	t->written = 1;
	put_number(names, tid, 10);
	put(names, " ");
	for (char *p = t->comm; *p; p++)
		if (*p == '\n')
			*p = '?';
	put(names, t->comm);
	put(names, "\n");
}

static void sample(struct cpu *c, const struct sample *s)
{
	u64 enter = 0;
	struct hit *before;
	int again;

	for (int i = 0; i < nsites; i++)
		if (s->ip == fronts[i])
			enter = sites[i];
	if (!s->abi)
		return;
	/*
	 * A breakpoint is hit again where the step over it was interrupted (and always the first time on a CPU), on another CPU
	 * where the task went there meanwhile: one place, one task, the same registers, and nothing in between, where an entry
	 * and an exit take turns.
	 */
	before = s->tid ? &task_of(s->tid)->before : &c->before;
	again = before->ip == s->ip && before->losses == losses;
	for (int i = 0; i < NREGS && again; i++)
		again = before->regs[i] == s->regs[i];
	if (again) {
		doubled++;
		return;
	}
	before->ip = s->ip;
	before->losses = losses;
	memcpy(before->regs, s->regs, sizeof(before->regs));
	name_task(s->tid);
	record(c, s, enter);
}

static union {	/* a record as it comes out of a ring */
	struct perf_event_header header;
	struct sample sample;
	u64 words[(1 << 16) / 8];
} next;

static u64 time_of_next(void)
{
	return next.header.type == PERF_RECORD_SAMPLE ? next.sample.time : 0;
}

static void take(struct cpu *c, const struct perf_event_header *h)
{
	const u32 *w = (const u32 *)(h + 1);

	if (h->type == PERF_RECORD_SAMPLE && h->size == sizeof(struct sample)) {
		sample(c, (const struct sample *)h);
	} else if (h->type == PERF_RECORD_LOST) {
		u64 n;

		memcpy(&n, w + 2, 8);
		flush(c);
		c->lost += n;
		lost_total += n;
		losses++;
	} else if (h->type == PERF_RECORD_COMM && w[1]) {
		struct task *t = task_of(w[1]);

		t->written = 0;
		memcpy(t->comm, w + 2, COMM);
		t->comm[COMM - 1] = 0;
	} else if (h->type == PERF_RECORD_FORK) {	/* pid, ppid, tid, ptid */
		struct task *t = task_of(w[2]);

		memset(t->comm, 0, COMM);
		t->written = 0;
		t->parent = w[3];
		if (tasks[w[3] % MAX_TASKS].tid == w[3])
			memcpy(t->comm, tasks[w[3] % MAX_TASKS].comm, COMM);
	}
}

/* Put the next record of a CPU into ``next``: its size, 0 where there is none up to a time. */
static unsigned peek(struct cpu *c, u64 until)
{
	struct perf_event_mmap_page *m = c->ring;
	const unsigned char *data = (const unsigned char *)m + page_size;
	u64 head = __atomic_load_n(&m->data_head, __ATOMIC_ACQUIRE), at = m->data_tail & (ring_size - 1);
	struct perf_event_header h;

	if (m->data_tail >= head)
		return 0;
	memcpy(&h, data + at, sizeof(h));
	if (h.size < sizeof(h) || h.size > head - m->data_tail)
		return 0;
	for (u64 i = 0; i < h.size / 8; i++)	/* records are multiples of 8 bytes; one may wrap */
		next.words[i] = *(const u64 *)(data + ((at + i * 8) & (ring_size - 1)));
	return time_of_next() <= until ? h.size : 0;
}

/*
 * Take what the CPUs have up to a time, in the order of time, so that the hits of a task that moves are in theirs: of a CPU
 * that is looked at later, more may be seen.
 */
static void drain(int from, int to, u64 until)
{
	for (;;) {
		struct cpu *first = 0;
		u64 when = ~0ul;
		unsigned size;

		for (int i = from; i <= to; i++) {
			if (cpus[i].ring && peek(&cpus[i], until) && time_of_next() < when) {
				first = &cpus[i];
				when = time_of_next();
			}
		}
		if (!first)
			return;
		size = peek(first, until);
		take(first, &next.header);
		__atomic_store_n(&first->ring->data_tail, first->ring->data_tail + size, __ATOMIC_RELEASE);
	}
}

static void disarm(int n)
{
	struct cpu *c = &cpus[n];

	if (c->ring) {
		drain(n, n, ~0ul);
		C3(munmap, c->ring, page_size + ring_size, 0);
		c->ring = 0;
	}
	for (int i = 0; i < 2 * nsites; i++)
		if (c->fds[i] > 0)
			C1(close, c->fds[i]);
	memset(c->fds, 0, sizeof(c->fds));
	c->armed = 0;
	c->before.ip = 0;
}

static int prepare(int n)
{
	struct cpu *c = &cpus[n];
	char *p = path + folder_length, digits[8], *d = digits + sizeof(digits);
	int v = n;

	if (c->page)
		return 0;
	*--d = 0;
	do
		*--d = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(p, "/cpu", 4);
	memcpy(p + 4, d, length(d) + 1);
	c->out = open_file(path, O_CREAT | O_TRUNC | 1);
	if (c->out < 0)
		return c->out;
	c->page = (unsigned char *)C6(mmap, 0, out_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((long)c->page < 0 && (long)c->page > -4096) {
		long err = (long)c->page;

		c->page = 0;
		return (int)err;
	}
	return 0;
}

/* Set the breakpoints of one CPU: 0, or an errno as the kernel gives it. */
static long arm(int n)
{
	struct cpu *c = &cpus[n];
	long err = prepare(n);

	for (int i = 0; i < 2 * nsites && !err; i++) {
		struct perf_event_attr a;
		long fd;

		memset(&a, 0, sizeof(a));
		a.type = PERF_TYPE_BREAKPOINT;
		a.size = sizeof(a);
		a.bp_type = HW_BREAKPOINT_X;
		a.bp_addr = i & 1 ? sites[i / 2] + 4 : fronts[i / 2];
		a.bp_len = 4;
		a.sample_period = 1;
		a.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_REGS_INTR;
		a.sample_regs_intr = ((1ul << NREGS) - 1) | 1ul << LR;
		a.exclude_user = a.exclude_hv = 1;
		a.use_clockid = 1;
		a.clockid = CLOCK_MONOTONIC;
		a.watermark = 1;
		a.wakeup_watermark = (u32)(ring_size / 4);
		a.comm = a.task = i == 0;
		fd = C5(perf_event_open, &a, -1, n, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0) {
			err = fd;
			break;
		}
		c->fds[i] = (int)fd;
		if (i) {
			err = C3(ioctl, fd, PERF_EVENT_IOC_SET_OUTPUT, c->fds[0]);
			continue;
		}
		c->ring = (void *)C6(mmap, 0, page_size + ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if ((long)c->ring < 0 && (long)c->ring > -4096) {
			err = (long)c->ring;
			c->ring = 0;
		}
	}
	if (err) {
		disarm(n);
		return err;
	}
	c->armed = 1;
	most = n > most ? n : most;
	return 0;
}

/* Follow the list of CPUs that are online ("0-3,8"): 0, or the last error. */
static long follow(int first)
{
	static unsigned char online[MAX_CPUS];
	char text[1024];
	const char *p = text;
	int fd = open_file("/sys/devices/system/cpu/online", 0);
	long n, err = 0;

	if (fd < 0)
		return fd;
	n = C3(read, fd, text, sizeof(text) - 1);
	C1(close, fd);
	if (n <= 0)
		return n ? n : -EINVAL;
	text[n] = 0;
	memset(online, 0, sizeof(online));
	while (*p >= '0' && *p <= '9') {
		unsigned from = decimal(&p), to = from;

		if (*p == '-') {
			p++;
			to = decimal(&p);
		}
		for (unsigned i = from; i <= to && i < MAX_CPUS; i++)
			online[i] = 1;
		if (*p == ',')
			p++;
	}
	for (int i = 0; i < MAX_CPUS; i++) {
		if (!online[i] && cpus[i].armed)
			disarm(i);
		if (online[i] && !cpus[i].armed) {
			long e = arm(i);

			if (e && e != -ENODEV) {
				err = e;
				if (first)
					complain("smctap: CPU ", (u64)i, 10, ": breakpoints refused, error ", e);
			}
		}
	}
	return err;
}

static u64 now(void)
{
	struct timespec t = { 0, 0 };

	C3(clock_gettime, CLOCK_MONOTONIC, &t, 0);
	return (u64)t.tv_sec * 1000000000ul + (u64)t.tv_nsec;
}

/*
 * Where the breakpoint for the entry goes: at the instruction in front of the SMC. The kernel steps over what a breakpoint is at,
 * and MDSCR_EL1.SS would be set while the SMC is executed: TF-RMM leaves it, and its applications at EL0 (attestation, device
 * assignment) take a step exception, which it does not survive. In the stubs of Linux that instruction is a BTI or loads
 * x16 and x17, which no call has as arguments; where it is another one, the breakpoint is at the SMC all the same.
 */
static u64 front_of(int kcore, u64 site)
{
	u32 w;

	if (kcore >= 0 && read_code(kcore, site - 4, &w, 4) == 4 &&
	    ((w & 0xfffff01f) == 0xd503201f /* hints */ || (w & 0xffc07c1f) == 0xa9404410 /* LDP x16, x17, [Xn, #imm] */))
		return site - 4;
	complain("smctap: the breakpoint is at the SMC itself at ", site, 16, "", 0);
	return site;
}

static int watch(char **args)
{
	static unsigned char gone[MAX_CPUS];
	struct timespec tick = { 0, 20000000 };
	const char *p;
	int kcore;
	long err;

	if (!args[0] || !args[1] || !args[2] || !args[3] || !args[4])
		return 2;
	folder_length = (int)length(args[0]);
	if (folder_length > 4000)
		return 2;
	memcpy(path, args[0], (unsigned long)folder_length);
	p = args[1];
	out_size = decimal(&p);
	if (out_size < 1024 || out_size > 1 << 20)
		return 2;
	p = args[2];
	enter_id = (u16)decimal(&p);
	p = args[3];
	exit_id = (u16)decimal(&p);
	kcore = open_file("/proc/kcore", 0);
	for (args += 4; *args && nsites < MAX_SITES; args++, nsites++) {
		hex(*args, &sites[nsites]);
		fronts[nsites] = front_of(kcore, sites[nsites]);
	}
	C1(close, kcore);
	memcpy(path + folder_length, "/cmdlines", 10);
	names = open_file(path, O_CREAT | O_TRUNC | O_APPEND | 1);
	if (names < 0)
		return 1;
	ring_size = 1 << 19;
	while (ring_size < page_size)
		ring_size <<= 1;
	err = follow(1);
	if (err) {
		for (int i = 0; i < MAX_CPUS; i++)
			disarm(i);
		return err == -ENOSPC ? 4 : 3;
	}
	put(1, "ready\n");
	for (;;) {
		int n = 1, stop;

		polls[0].fd = 0;
		polls[0].events = POLLIN;
		polls[0].revents = 0;
		for (int i = 0; i <= most; i++) {
			if (!cpus[i].armed)
				continue;
			polls[n].fd = cpus[i].fds[0];
			polls[n].revents = 0;
			polls[n++].events = POLLIN;
		}
		C5(ppoll, polls, n, &tick, 0, 0);
		stop = polls[0].revents != 0;
		n = 1;
		for (int i = 0; i <= most; i++) {
			if (!cpus[i].armed)
				continue;
			if (polls[n++].revents & (POLLERR | POLLHUP))	/* it was offline for a moment */
				gone[i] = 1;
		}
		drain(0, most, stop ? ~0ul : now() - LATE);
		for (int i = 0; i <= most; i++)
			if (gone[i])
				disarm(i);
		memset(gone, 0, sizeof(gone));
		if (stop)
			break;
		follow(0);
		tick.tv_sec = 0;
		tick.tv_nsec = 20000000;
	}
	for (int i = 0; i <= most; i++) {
		disarm(i);
		if (cpus[i].page)
			flush(&cpus[i]);
	}
	put(1, "samples ");
	put_number(1, total, 10);
	put(1, "\ndoubled ");
	put_number(1, doubled, 10);
	put(1, "\nlost ");
	put_number(1, lost_total, 10);
	put(1, "\n");
	return 0;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

__attribute__((used)) static void run(long *stack)
{
	int argc = (int)stack[0], status = 2;
	char **argv = (char **)(stack + 1);
	long *aux = stack + 1 + argc + 1;

	while (*aux++)	/* the environment */
		;
	for (; aux[0]; aux += 2)
		if (aux[0] == AT_PAGESZ)
			page_size = (u64)aux[1];
	if (argc > 2 && same(argv[1], "find"))
		status = find(argv + 2);
	else if (argc > 5 && same(argv[1], "watch"))
		status = watch(argv + 2);
	C1(exit_group, status);
}

__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n b run\n");
