import { type Candidates, expand, type Expansion, type Matching, NoMatch } from "./expand";
import type { Kindred } from "./interpret";
import { type NagiosObject, nameOf, textOf } from "./objects";
import type { Remarks } from "./refusal";

/** Members of a group while it is filled; those that it rejects it never takes, wherever they come from. */
export class Group<Member> {
  readonly members = new Set<Member>();
  readonly subgroups: Group<Member>[] = [];
  private state: "new" | "open" | "done" = "new";

  constructor(
    readonly object: NagiosObject,
    private readonly rejected: ReadonlySet<Member>,
  ) {}

  add(member: Member): void {
    if (!this.rejected.has(member)) this.members.add(member);
  }

  /** The last one first, as in Nagios. */
  get membersLastFirst(): Member[] {
    return [...this.members].reverse();
  }

  /** Takes the members of its subgroups, and of theirs. @throws NoMatch if one contains itself */
  takeSubgroups(): void {
    if (this.state === "done") return;
    if (this.state === "open") throw new NoMatch(`${nameOf(this.object)} is a member of itself`);
    this.state = "open";
    for (const subgroup of this.subgroups) {
      subgroup.takeSubgroups();
      for (const member of subgroup.membersLastFirst) this.add(member);
    }
    this.state = "done";
  }
}

export type Groups<Member> = ReadonlyMap<NagiosObject, Group<Member>>;

/** How groups of one kind get their members. */
export interface Gathering<Member> {
  readonly type: "contactgroup" | "hostgroup" | "servicegroup";
  readonly kindred: Kindred;
  readonly matching: Matching;
  /** What `members` stands for. @throws NoMatch */
  readonly expandMembers: (names: string) => Expansion<Member>;
  /** Objects that name their groups themselves, in the order in which Nagios goes through them. */
  readonly joining: readonly { readonly object: NagiosObject; readonly member: Member; readonly directive: string }[];
  /** Whether a group may be there whose members come to nothing. */
  readonly mayBeEmpty: boolean;
}

/** Fills all groups of one kind. */
export function gather<Member>(gathering: Gathering<Member>, problems: Remarks): Groups<Member> {
  const { type, kindred, joining } = gathering;
  const groups = new Map<NagiosObject, Group<Member>>();
  for (const object of kindred.all) groups.set(object, begin(object, gathering, problems));
  for (const [object, group] of groups) {
    attempt(object, `${type}_members`, problems, () => {
      for (const name of (textOf(object, `${type}_members`) ?? "").split(",").map((part) => part.trim())) {
        const found = kindred.named.get(name);
        const subgroup = found && groups.get(found);
        if (subgroup !== undefined) group.subgroups.push(subgroup);
        else if (object.values.get(`${type}_members`)?.text) throw new NoMatch(`there is no ${type} "${name}"`);
      }
    });
  }
  for (const { object, member, directive } of joining) {
    attempt(object, directive, problems, () => {
      for (const group of groupsNamed(gathering, textOf(object, directive))) groups.get(group)?.add(member);
    });
  }
  for (const [object, group] of groups) {
    attempt(object, `${type}_members`, problems, () => group.takeSubgroups());
  }
  return groups;
}

function begin<Member>(object: NagiosObject, gathering: Gathering<Member>, problems: Remarks): Group<Member> {
  const members = textOf(object, "members");
  if (members === undefined) return new Group<Member>(object, new Set());
  return (
    attempt(object, "members", problems, () => {
      const { chosen, rejected } = gathering.expandMembers(members);
      if (chosen.length + rejected.size === 0 && !gathering.mayBeEmpty) throw new NoMatch("no member is there");
      const group = new Group(object, rejected);
      for (const member of chosen) group.add(member);
      return group;
    }) ?? new Group<Member>(object, new Set())
  );
}

/** The groups that an object says it is in; those with a ! before them left out. */
function groupsNamed<Member>({ type, kindred, matching }: Gathering<Member>, names: string | undefined) {
  if (names === undefined) return [];
  const { chosen, rejected } = expand(names, type, candidatesOf(type, kindred), matching);
  const left = chosen.filter((group) => !rejected.has(group));
  if (left.length === 0) throw new NoMatch(`no ${type} is left of ${JSON.stringify(names)}`);
  return left.reverse();
}

/** Objects of a type as what names may stand for. */
export function candidatesOf(type: string, kindred: Kindred): Candidates<NagiosObject> {
  return {
    all: kindred.all.filter((object) => textOf(object, `${type}_name`) !== undefined),
    nameOf: (object) => textOf(object, `${type}_name`),
    find: (name) => kindred.named.get(name),
    isRegistered: ({ registered }) => registered,
  };
}

/** Runs a step; what it finds wrong is said at the directive it is about. */
export function attempt<T>(object: NagiosObject, directive: string, problems: Remarks, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof NoMatch)) throw error;
    problems.add(
      object.values.get(directive)?.place ?? object.place,
      `${directive} of ${titleOf(object)}: ${error.message}`,
    );
    return undefined;
  }
}

/** Type and name of an object, for messages. */
export function titleOf(object: NagiosObject): string {
  const name = nameOf(object);
  return name.startsWith(`${object.type} of `) ? `a ${object.type}` : `the ${object.type} ${JSON.stringify(name)}`;
}
