#!/usr/bin/env bash
# Shows that each check is what its test is about: takes one check at a time out of a copy of the tree, runs the one
# test that must notice, and prints "killed" when it fails and "SURVIVED" when it does not.
#
#   ./scripts/mutations.sh                 # the rows of crypto, media and client: minutes
#   ./scripts/mutations.sh --sockets       # also the rows that run clients against the hostile server: much longer
#   ./scripts/mutations.sh "fake host"     # only rows whose attack holds these words
#
# Opt-in: it recompiles a crate for every row, and nothing else may build into the same folder meanwhile: to cargo both
# trees look the same. It needs what scripts/test.sh needs, and a committed tree.
set -euo pipefail
cd "$(dirname "$0")/.."

sockets=no
only=""
for argument in "$@"; do
  case "$argument" in
    --sockets) sockets=yes ;;
    -*) echo "usage: $0 [--sockets] [WORDS]" >&2; exit 2 ;;
    *) only=$argument ;;
  esac
done

copy=$(mktemp -d)
trap 'git worktree remove --force "$copy/tree" 2>/dev/null; rm -rf "$copy"' EXIT
git worktree add --quiet --detach "$copy/tree" HEAD
log=$copy/log
killed=0
survived=0
broken=0

# result WORD ATTACK TEST
result() {
  printf '%-8s  %-40s  %s\n' "$1" "$2" "$3"
}

# run WHERE TEST: 0 when it passes, 1 when it fails, 2 when it does not compile, 3 when there is no such test.
run() {
  local where=$1 test=$2 arguments
  case "$where" in
    sockets) arguments=(-p tests --test tests) ;;
    lab) arguments=(-p tests --test tests --features lab) ;;
    *) arguments=(-p "$where" --lib) ;;
  esac
  (cd "$copy/tree" && cargo test --quiet --locked --no-run "${arguments[@]}") >"$log" 2>&1 || return 2
  if (cd "$copy/tree" && cargo test --locked "${arguments[@]}" -- --exact "$test") >"$log" 2>&1; then
    grep -q '^test result: ok. 1 passed' "$log" || return 3
    return 0
  fi
  grep -q '^test result: FAILED. 0 passed; 1 failed' "$log" && return 1
  return 2
}

# row ATTACK WHERE TEST { FILE SNIPPET REPLACEMENT }…: several pieces where one check stands behind another.
row() {
  local attack=$1 where=$2 test=$3 file text before status=0
  shift 3
  case "$where" in sockets | lab) [ "$sockets" = yes ] || return 0 ;; esac
  [[ "$attack" == *"$only"* ]] || return 0
  local files=()
  while [ $# -ge 3 ]; do
    file=$copy/tree/$1
    text=$(cat "$file"; printf x)
    before=${text/"$2"/}
    if [ "$before" = "$text" ] || [ "${before/"$2"/}" != "$before" ]; then
      result BROKEN "$attack" "$1 does not hold the piece exactly once"
      broken=$((broken + 1))
      [ ${#files[@]} -eq 0 ] || git -C "$copy/tree" checkout --quiet -- "${files[@]}"
      return
    fi
    text=${text/"$2"/"$3"}
    printf '%s' "${text%x}" >"$file"
    files+=("$1")
    shift 3
  done
  run "$where" "$test" || status=$?
  case $status in
    0) result SURVIVED "$attack" "$test"; survived=$((survived + 1)) ;;
    1) result killed "$attack" "$test"; killed=$((killed + 1)) ;;
    *) result BROKEN "$attack" "$test"; tail -n 20 "$log"; broken=$((broken + 1)) ;;
  esac
  git -C "$copy/tree" checkout --quiet -- "${files[@]}"
  # Cargo goes by times: what was put back must look new.
  (cd "$copy/tree" && touch -- "${files[@]}")
}

# -- the way in -------------------------------------------------------------------------------------------------------

swapped=(crypto/src/invitation/owner.rs
  'if !key.accepts_guest(&exchange.transcript, &read.reference, proof.tag)? {' 'if false {'
  crypto/src/invitation/owner.rs
  'if fits { Ok(()) } else { Err(InvitationError::BadKeyPackage) }' 'let _ = fits; Ok(())')
row "swapped key package" crypto invitation::hostile::a_key_package_of_somebody_else_is_refused "${swapped[@]}"
row "swapped key package" sockets attacks::door::a_swapped_key_package_is_refused_by_the_host "${swapped[@]}"

fake=(crypto/src/invitation/guest.rs
  'credential.verify_in_group(&practice, now, &fields.host_leaf_key, fields.group_id)?;' '')
row "fake host" crypto invitation::hostile::a_host_of_another_practice_is_refused_by_the_guest "${fake[@]}"
row "fake host" sockets attacks::door::a_host_of_another_practice_is_refused_by_the_guest "${fake[@]}"
row "fake host" sockets attacks::door::a_fake_host_with_the_hosts_certificate_is_refused_by_the_guest "${fake[@]}"

row "another key of the server" sockets attacks::door::a_server_with_a_key_that_nobody_pinned_is_refused \
  client/src/connection/tls.rs 'if digest.as_ref() == self.pin.0 {' 'if digest.as_ref().len() == self.pin.0.len() {'

row "server-made host claim" sockets attacks::door::an_admission_before_the_host_said_a_word_is_dropped \
  client/src/session/joining.rs 'if self.step != Step::Lobby || self.knock != KnockState::Proven {' 'if false {'

version=(crypto/src/invitation/link.rs 'if content.first() != Some(&VERSION) {' 'if content.is_empty() {')
row "old version of a link" crypto invitation::link::tests::a_link_of_an_older_or_a_later_version_says_so "${version[@]}"
row "old version of a link" sockets attacks::door::a_link_of_another_version_says_that_an_update_is_needed \
  "${version[@]}"

code_only=(crypto/src/invitation/owner.rs
  'if !ProofKey::new(&self.secret)?.accepts(knock.proven, knock.proof) {'
  'if !ProofKey::new(&self.secret)?.accepts(knock.proven, knock.proof) && false {')
row "code only" crypto invitation::hostile::a_knock_without_the_link_costs_no_try "${code_only[@]}"
row "code only" sockets attacks::ghost::the_code_alone_opens_nothing_and_costs_no_try "${code_only[@]}"

guessing=(crypto/src/invitation/owner.rs
  'self.tries_left = self.tries_left.checked_sub(1).ok_or(InvitationError::TriesSpent)?;' '')
row "guessing without KE3" crypto invitation::tests::a_guesser_that_never_answers_has_three_tries_too "${guessing[@]}"
row "guessing without KE3" sockets attacks::ghost::guesses_that_are_never_finished_lock_the_invitation_for_good \
  "${guessing[@]}"
row "guessing again after a restart" sockets \
  attacks::ghost::guesses_that_are_never_finished_lock_the_invitation_for_good client/src/session/driver/mod.rs \
  'tokio::task::spawn_blocking(move || keystore.store_invitation(&invite, &record)).await' \
  'tokio::task::spawn_blocking(move || if record.is_empty() { keystore.store_invitation(&invite, &record) } else { Ok(()) }).await'

rolled=(crypto/src/invitation/owner.rs 'if self.consumed {' 'if false {')
row "rolled-back records" crypto invitation::tests::a_used_early_or_late_knock_is_refused "${rolled[@]}"
row "rolled-back records" sockets attacks::door::a_used_link_that_the_server_opens_again_is_refused_by_the_host \
  "${rolled[@]}"

row "repeated knock" sockets attacks::door::a_repeated_knock_lets_nobody_in_but_the_guest \
  client/src/session/door.rs 'ready: self.guest.is_some() && self.card.is_some() && !admitting,' 'ready: !admitting,'

fork=(crypto/src/mls/join.rs
  'if !same_leaf || !host.is_some_and(|leaf| policy.is_host(leaf)) {' 'if false && (!same_leaf || host.is_none()) {')
row "guest that forks and adds the next" crypto \
  invitation::hostile::a_guest_that_forks_the_group_cannot_bring_in_the_next_guest "${fork[@]}"
row "guest that forks and adds the next" sockets \
  attacks::member::a_guest_who_forks_the_group_cannot_bring_in_the_next_one "${fork[@]}"

row "staff that forks and catches a returning guest" crypto \
  invitation::handover::staff_that_is_no_deputy_cannot_fork_the_group_to_catch_a_guest_that_comes_back \
  crypto/src/mls/join.rs '.is_some_and(|device| devices.contains(&device))' '.is_some()'
row "used record that opens the door again" crypto \
  invitation::handover::a_used_record_from_another_device_lets_nobody_in_by_the_code \
  crypto/src/invitation/record.rs 'self.has_admitted() && self.tries_left > 0' 'self.has_admitted()'

row "replayed or forged Welcome" sockets attacks::door::a_welcome_of_an_earlier_epoch_opens_for_nobody_else \
  client/src/session/retrying.rs 'now.since_start.saturating_sub(since) >= GIVE_UP' \
  'now.since_start.saturating_sub(since) > Duration::MAX'
row "forged Welcome" sockets attacks::door::one_made_up_welcome_costs_the_guest_nothing \
  client/src/session/retrying.rs 'if self.retrying.count >= RETRIES {' 'if true {'

# -- the group --------------------------------------------------------------------------------------------------------

# The policy stands behind the wire format: only without both does the answer change.
row "external commit" crypto mls::hostile::a_strangers_external_commit_is_refused_although_openmls_takes_it \
  crypto/src/mls/inbound.rs 'MlsMessageBodyIn::PublicMessage(message) => {' \
  'MlsMessageBodyIn::PublicMessage(message) if message.content_type() == ContentType::Commit => message.into(),
            MlsMessageBodyIn::PublicMessage(message) => {' \
  crypto/src/mls/rules.rs 'let Sender::Member(sender_index) = sender else {
        return Err(PolicyViolation::ExternalCommit);
    };' 'let sender_index = match sender {
        Sender::Member(index) => *index,
        _ => openmls::prelude::LeafNodeIndex::new(0),
    };'

ghost=(crypto/src/mls/rules.rs 'if !by_host {
                    return Err(PolicyViolation::NotAHost);' 'if !by_host && false {
                    return Err(PolicyViolation::NotAHost);')
row "ghost Add by a guest" crypto mls::hostile::a_guest_may_update_but_neither_add_nor_remove "${ghost[@]}"
row "Remove by a guest" sockets attacks::member::a_guest_cannot_take_the_host_out "${ghost[@]}"
row "ghost Add" crypto mls::hostile::an_invited_guest_is_not_added_without_its_own_key \
  crypto/src/mls/rules.rs 'if found == expected && brought {' 'if brought {'
row "ghost Add by a guest" sockets attacks::member::a_ghost_added_by_a_guest_ends_the_call_with_the_guests_name \
  "${ghost[@]}" crypto/src/mls/rules.rs 'if found == expected && brought {' 'if brought {'

row "deputy that puts anybody on the list" crypto \
  mls::deputies::a_deputy_puts_itself_at_the_end_of_the_list_and_changes_nothing_else \
  crypto/src/mls/rules.rs 'Some(expected) => after.hosts == expected.hosts,' \
  'Some(_) => before.policy.allows_hosts(&after.hosts),'
row "deputy that removes while it steps in" crypto \
  mls::deputies::a_deputy_puts_itself_at_the_end_of_the_list_and_changes_nothing_else \
  crypto/src/mls/rules.rs ' && is_only_a_policy(commit));' ');' \
  crypto/src/mls/rules.rs 'if !by_host {' 'if !by_host && stepped_in.is_none() {'
row "deputy of the server's making" client \
  session::tests::handover::a_certificate_that_the_practice_did_not_sign_makes_no_deputy \
  client/src/session/desk.rs 'if certified && clinician' 'if clinician'
row "planted record of an invitation" crypto invitation::share::tests::the_server_cannot_plant_a_record_of_its_own \
  crypto/src/invitation/share.rs 'sharing.check(&certificate, practice)?;
        let own' 'let own' \
  crypto/src/invitation/share.rs 'if record.practice != *practice || !record.shared' 'if !record.shared'
row "staff that makes itself a host" crypto \
  mls::deputies::nobody_but_a_deputy_in_a_hosts_role_puts_anybody_on_the_list \
  crypto/src/mls/policy.rs 'let stands_by = self.deputies.contains(&device) && ' 'let stands_by = '

partition=(crypto/src/mls/heartbeat.rs 'Some(view) if view != theirs => HeartbeatVerdict::Partition,' '')
row "partition" crypto mls::heartbeat::tests::two_halves_of_a_split_group_see_a_partition "${partition[@]}"
row "partition" sockets attacks::group::two_groups_of_one_call_stop_both_who_hear_of_each_other "${partition[@]}"
row "withheld commit, dropped Remove" crypto \
  mls::heartbeat::tests::a_withheld_commit_shows_as_newer_and_the_one_left_behind_as_older \
  crypto/src/mls/heartbeat.rs 'if theirs.epoch > own.epoch {' 'if false {'
row "heartbeat in another name" crypto mls::heartbeat::tests::a_heartbeat_counts_only_from_its_own_sender_and_group \
  crypto/src/mls/heartbeat.rs 'if !signed {' 'if !signed && !moved {'
row "colleague of another practice" client \
  session::tests::colleague::somebody_of_another_practice_whom_the_server_lists_is_never_ready \
  crypto/src/mls/admit.rs \
  'entry.credential.verify_in_group(&self.policy.practice, now, &entry.leaf_key, self.group_id)?;' \
  'let _ = now;'
row "colleague led into another group" client \
  session::tests::colleague::a_server_that_leads_a_colleague_into_another_group_leads_it_nowhere \
  client/src/session/colleague.rs 'self.waiting.entries.push((group_id, entry));' \
  'self.waiting.entries = vec![(group_id, entry)];'
row "removed member that claims to be lost" crypto \
  mls::returns::a_removed_member_that_claims_to_be_lost_has_no_leaf_to_come_back_to \
  crypto/src/mls/rules.rs 'if !proven {' 'if false {'
row "removed member that claims to be lost" sockets attacks::member::a_removed_member_that_claims_to_be_lost_stays_out \
  crypto/src/mls/admit.rs '(None, Some(_)) => return Err(GroupError::NoSuchMember),' \
  '(None, Some(_)) => (None, Attached::Nothing),'
row "return without its proof" crypto mls::returns::every_member_refuses_a_return_without_its_proof \
  crypto/src/mls/returning.rs 'proven && later && old.key != new.key' 'later && old.key != new.key'
row "made-up leave request" crypto mls::leave::tests::a_request_made_up_by_another_member_is_refused_by_everybody \
  crypto/src/mls/leave.rs 'verify_parts(&leaf.key, LABEL, &parts, &self.signature).ok()?;' ''

echo=(crypto/src/mls/inbound.rs
  'if self.pending.as_ref().is_some_and(|pending| pending.commit == commit) {'
  'if self.pending.as_ref().is_some_and(|pending| pending.commit.len() == commit.len()) {')
row "altered echo" crypto mls::hostile::an_echo_with_a_changed_byte_is_not_merged "${echo[@]}"
row "altered echo" sockets attacks::log::a_changed_echo_stops_the_host "${echo[@]}"

goes_on=(client/src/session/room/commit.rs
  'if !self.group.is_active() || is_commit && leaves_behind(&error) {' 'if false && leaves_behind(&error) {')
row "altered commit" client \
  session::tests::returning::a_guest_whose_commit_does_not_open_is_brought_back_without_typing_anything "${goes_on[@]}"
row "altered commit" sockets attacks::log::a_commit_changed_on_its_way_to_a_guest_only_makes_the_host_bring_it_back "${goes_on[@]}"

row "duplicated commits" client session::log::tests::an_entry_from_the_past_is_dropped \
  client/src/session/log.rs 'Some(last) if seq <= last => return Vec::new(),' ''
row "reordered commits" client session::log::tests::entries_that_overtook_wait_for_their_turn \
  client/src/session/log.rs 'Some(last) if seq != last + 1 => {' 'Some(last) if seq < last => {'
row "withheld entry" client session::log::tests::a_gap_is_asked_for_after_two_seconds \
  client/src/session/log.rs 'self.gap_since.get_or_insert(now);' ''
row "forged roster" sockets attacks::log::invented_presence_changes_no_roster_and_lets_nobody_in \
  client/src/session/door.rs 'ready: self.guest.is_some() && self.card.is_some() && !admitting,' 'ready: !admitting,'
row "starved Remove" sockets attacks::member::updates_do_not_keep_a_removal_from_being_made_again \
  client/src/session/room/commit.rs 'self.wishes.push_front(pending.change);' ''

# -- media ------------------------------------------------------------------------------------------------------------

fingerprint=(client/src/session/peer.rs 'Ok(named) if named == told => Ok(()),' 'Ok(_) => { let _ = told; Ok(()) }')
row "swapped DTLS fingerprint" client \
  session::peer::tests::an_offer_whose_fingerprint_is_not_that_of_its_sdp_is_refused "${fingerprint[@]}"
row "swapped DTLS fingerprint" sockets attacks::transport::a_fingerprint_other_than_the_descriptions_is_refused \
  "${fingerprint[@]}"
sframe=(media/src/transport/sdp.rs
  'if sections.iter().any(|(section, sframe)| section.is_media() && !sframe) {' 'if sections.is_empty() {')
row "stripped a=sframe" media transport::sdp::tests::a_section_without_sframe_is_refused "${sframe[@]}"
row "stripped a=sframe" sockets attacks::transport::a_peer_that_does_not_promise_sealed_media_is_refused "${sframe[@]}"

row "silence injection (unknown key)" crypto sframe::tests::a_frame_from_another_association_or_stream_is_refused \
  crypto/src/sframe/key_ring.rs \
  'if (header.key_id >> 4) & 0x0f != u64::from(sender.as_u8()) {' 'if sender.as_u8() == u8::MAX {'
row "KID collision" crypto sframe::tests::a_removed_member_and_a_reused_leaf_lose_their_keys_at_once \
  crypto/src/sframe/key_ring.rs \
  '&& keys.keys.iter().any(|key| key.sender == entry.sender && key.owner == entry.owner)' \
  '&& keys.keys.iter().any(|key| key.sender == entry.sender)'
tag=(crypto/src/sframe/key.rs '.map_err(|ring::error::Unspecified| OpenError::BadTag)?
            .len();' '.map_or(0, |opened| opened.len());')
row "truncated tag" crypto sframe::tests::every_altered_byte_is_refused_and_does_not_move_the_window "${tag[@]}"
row "altered media" lab attacks::media::sound_that_was_changed_behind_its_sealing_is_refused_and_told "${tag[@]}"

echo "killed $killed, survived $survived, broken $broken"
[ "$survived" -eq 0 ] && [ "$broken" -eq 0 ]
