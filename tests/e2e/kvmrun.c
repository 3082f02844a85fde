// SPDX-License-Identifier: Apache-2.0
/*
 * A guest of KVM that asks PSCI for its version five times by HVC and then writes to an address that is no memory; for the events
 * that KVM traces. Freestanding, arm64 Linux; prints "done" when the guest has come to its end.
 */
#include <linux/fcntl.h>
#include <linux/kvm.h>
#include <linux/mman.h>
#include <asm/unistd.h>

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

static long ioctl(long fd, unsigned long what, void *arg)
{
	return call(__NR_ioctl, fd, (long)what, (long)arg, 0, 0, 0);
}

static const __u32 code[] = {
	0xd28000b3,	/*    mov x19, #5 */
	0x52b08000,	/* 1: mov w0, #0x84000000 (PSCI_VERSION) */
	0xd4000002,	/*    hvc #0 */
	0xf1000673,	/*    subs x19, x19, #1 */
	0x54ffffa1,	/*    b.ne 1b */
	0xd2a20001,	/*    mov x1, #0x10000000 */
	0xf9000020,	/*    str x0, [x1] */
	0x14000000,	/*    b . */
};

#define BASE 0x40000000ul
#define PC (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (256 / 4))	/* behind 31 registers and sp of 8 bytes */

void _start(void)
{
	static struct kvm_userspace_memory_region memory;
	static struct kvm_vcpu_init init;
	static struct kvm_one_reg pc;
	static __u64 start = BASE;
	long kvm = call(__NR_openat, -100, (long)"/dev/kvm", O_RDWR, 0, 0, 0), vm, cpu, size, status = 1;
	struct kvm_run *run;
	unsigned long i;
	__u32 *page;

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	page = (__u32 *)call(__NR_mmap, 0, 65536, 3 /* read, write */, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < sizeof(code) / 4; i++)
		((volatile __u32 *)page)[i] = code[i];
	memory.guest_phys_addr = BASE;
	memory.memory_size = 65536;
	memory.userspace_addr = (__u64)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &memory) || ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		goto out;
	cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = (struct kvm_run *)call(__NR_mmap, 0, size, 3, MAP_SHARED, cpu, 0);
	pc.id = PC;
	pc.addr = (__u64)&start;
	if (ioctl(cpu, KVM_ARM_VCPU_INIT, &init) || ioctl(cpu, KVM_SET_ONE_REG, &pc) || ioctl(cpu, KVM_RUN, 0))
		goto out;
	if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == 0x10000000 && run->mmio.is_write)
		status = 0;
out:
	if (!status)
		call(__NR_write, 1, (long)"done\n", 5, 0, 0, 0);
	call(__NR_exit_group, status, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
